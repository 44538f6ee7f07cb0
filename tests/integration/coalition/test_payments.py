"""What partners paid: booked once for ever by its document, by the programme alone."""

import asyncio
import random
from datetime import timedelta

import asyncpg
import httpx2
import pytest

from tests.support.contracts import APPROVER, act, contract_body, partner_is_there, slug, submitted
from tests.support.exposure import Coalition
from tests.support.registries import bearing


async def test_a_payment_is_one_payment_for_ever_by_its_document(coalition: Coalition) -> None:
    partner = await coalition.partner()
    first = await coalition.top_up(partner, "inv-1", 5_000)
    again = await coalition.top_up(partner, "inv-1", 5_000)
    assert (again.status_code, again.json()) == (201, first.json())
    assert slug(await coalition.top_up(partner, "inv-1", 5_001)) == (409, "document-taken")
    assert slug(await coalition.top_up(partner, "inv-2", 100, currency="EUR")) == (409, "currency-differs")
    assert (await coalition.top_up(partner, "inv-1-corrected", -1_000)).status_code == 201
    assert (await coalition.exposure(partner))["paid_minor"] == 4_000
    listed = await coalition.client.get(f"/v1/partners/{partner}/top-ups", headers=bearing("contracts:read"))
    assert [each["amount_minor"] for each in listed.json()["items"]] == [5_000, -1_000]


async def test_payments_at_once_book_once_each(coalition: Coalition) -> None:
    partner = await coalition.partner()
    answers = await asyncio.gather(*(coalition.top_up(partner, f"inv-{number % 2}", 100) for number in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert (await coalition.exposure(partner))["paid_minor"] == 200


@pytest.mark.parametrize("amount", [0, 1.5, "100", True, 10**13])
async def test_a_payment_is_a_whole_number_of_minor_units(coalition: Coalition, amount: object) -> None:
    body = {"document_number": "inv", "amount_minor": amount, "currency": "USD"}
    answer = await coalition.client.post("/v1/partners/nobody/top-ups", json=body, headers=bearing())
    assert answer.status_code == 422


async def test_nobody_rewrites_a_payment(coalition: Coalition) -> None:
    partner = await coalition.partner()
    await coalition.top_up(partner, "inv", 100)
    for statement in ("update top_ups set amount_minor = 1", "delete from top_ups"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with coalition.database.transaction() as transaction:
                await transaction.raw.execute(statement)


async def test_partners_see_their_own_exposure_and_book_nothing(coalition: Coalition) -> None:
    partner, rival = await coalition.partner(), await coalition.partner()
    path = f"/v1/partners/{partner}"
    for resource in ("exposure", "top-ups"):
        own = await coalition.client.get(f"{path}/{resource}", headers=bearing("contracts:read", partner_id=partner))
        assert own.status_code == 200
        strange = await coalition.client.get(f"{path}/{resource}", headers=bearing("contracts:read", partner_id=rival))
        assert strange.status_code == 404
        nobody = await coalition.client.get(f"/v1/partners/nobody/{resource}", headers=bearing("contracts:read"))
        assert nobody.status_code == 404
    body = {"document_number": "inv", "amount_minor": 1, "currency": "USD"}
    refused: httpx2.Response = await coalition.client.post(
        f"{path}/top-ups", json=body, headers=bearing(partner_id=partner)
    )
    assert slug(refused) == (403, "programme-only")


async def test_a_contract_is_in_the_currency_of_what_was_paid_before(coalition: Coalition) -> None:
    partner = f"paid-{random.randint(0, 10**9)}"
    await partner_is_there(coalition.client, partner)
    await coalition.top_up(partner, "inv", 100)
    begins_at = await coalition.now() + timedelta(days=1)
    path = await submitted(coalition.client, contract_body(partner, begins_at, currency="EUR"))
    assert slug(await act(coalition.client, path, "approve", APPROVER)) == (409, "currency-differs")
