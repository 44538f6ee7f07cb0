"""All that accrual keeps of a member, told to the member."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx2
import pytest

from services.accrual.api.member_data import member_data_router
from services.accrual.repository.retention import DOCUMENTS
from shared.database import Database
from shared.events.members import AttributeOfMemberData, MemberAttributeChanged, MemberChanged, MemberData
from shared.ids import new_id
from shared.receipt_key import natural_key_of
from shared.web.paging import encode_cursor
from tests.support.accrual import Accrual
from tests.support.adjusting import SUPPORT
from tests.support.member_data import REFUSED, read_all, refusals, served
from tests.support.member_events import status_changed
from tests.support.receipt_moves import moving
from tests.support.receipts import NOON, card, enrolled, linked, member, merged_into, purchase, return_of
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
URL = f"/v1/members/{ANNA}/data"
CARD = card(1)


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA), linked(ANNA, CARD), enrolled(BERT))
    return accrual


@pytest.fixture
async def client(accrual: Accrual) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(member_data_router(accrual.database)) as opened:
        yield opened


async def test_a_member_is_told_everything_in_pages_of_any_size(accrual: Accrual, client: httpx2.AsyncClient) -> None:
    bought = purchase(1, 1000, owner=ANNA, identifier_hash=CARD)
    await accrual.award(bought, purchase(2, 10, owner=ANNA), purchase(9, 1000, owner=BERT))
    await accrual.award(return_of(bought, 3, {1: 400}))
    await accrual.award(purchase(1, 5000, owner=ANNA, contents=1))  # other contents under a known key
    await accrual.award(purchase(4, 1000, owner=ANNA, till_id="9"))  # waits for its till, under the member
    await accrual.award(purchase(5, 1000, identifier_hash=CARD, till_id="9"))  # under the member's card

    items = await read_all(client, ANNA)

    assert [item["kind"] for item in items] == ["award", "award", "return", "refusal", "parked", "parked"]
    award, nothing, returned, refused, *parked = items
    assert (award["points"], award["taken_back"], nothing["points"]) == (10, 4, 0)
    assert award["receipt_id"] == bought.data.receipt_id
    assert award["applied_rules"] == [{"rule_id": "base", "points": 10}]
    assert award["document"]["total_minor"] == 1000
    assert returned["original_receipt_id"] == bought.data.receipt_id
    assert returned["lines"] == [{"line_id": 1, "quantity_thousandths": 400}]
    assert (refused["reason"], refused["document"]["total_minor"]) == ("content_conflict", 5000)
    assert {each["document"]["till_id"] for each in parked} == {"9"}
    assert CARD not in str(items)
    for limit in (1, 2, 3):
        assert await read_all(client, ANNA, limit) == items
    assert [item["kind"] for item in await read_all(client, BERT)] == ["award"]
    assert await read_all(client, member(7)) == []


async def test_moves_and_what_a_member_was_before_are_told_and_nobody_else(
    accrual: Accrual, client: httpx2.AsyncClient
) -> None:
    bought = purchase(1, 1000, owner=ANNA)
    await accrual.award(bought)
    await accrual.database.run(moving(accrual, bought, ANNA, BERT))
    await accrual.members(*(born(version, month) for version, month in ((2, 3), (3, 4), (4, 5))))
    await accrual.members(*(drives(version, what) for version, what in ((1, "petrol"), (2, None), (3, "electric"))))

    items = await read_all(client, ANNA)

    move, *states, petrol, nothing = items
    assert [move[name] for name in ("kind", "direction", "state", "points", "became_debt", "reason_code")] == [
        "receipt_move", "from", "moved", 10, 0, "wrong_card",
    ]  # fmt: skip
    assert move["receipt_id"] == bought.data.receipt_id
    assert [(each["kind"], each["birth_month"], each["birth_day"]) for each in states] == [
        ("former_state", None, None), ("former_state", 3, 9), ("former_state", 4, 9),
    ]  # fmt: skip
    assert [states[index]["until"] == states[index + 1]["since"] for index in (0, 1)] == [True, True]
    assert [(each["kind"], each["code"], each["value"]) for each in (petrol, nothing)] == [
        ("former_attribute", "car", "petrol"), ("former_attribute", "car", None),
    ]  # fmt: skip
    assert str(BERT) not in str(items)
    assert SUPPORT not in str(items)
    assert await read_all(client, ANNA, 1) == items
    (award, got) = await read_all(client, BERT)
    assert (award["kind"], got["direction"], got["points"]) == ("award", "to", 10)
    refused = await client.get(URL, params={"cursor": encode_cursor((14, "0/\0"))}, headers=bearing("members:data"))
    assert refused.status_code == 400


def born(version: int, month: int) -> MemberChanged:
    data = MemberData(member_id=ANNA, version=version, status="active", birth_month=month, birth_day=9)
    at = NOON + timedelta(hours=version)
    return MemberChanged(id=new_id(), source="test", subject=str(ANNA), time=at, data=data)


def drives(version: int, what: str | None) -> MemberAttributeChanged:
    data = AttributeOfMemberData(member_id=ANNA, version=version, code="car", says=what)
    at = NOON + timedelta(hours=version)
    return MemberAttributeChanged(id=new_id(), source="test", subject=str(ANNA), time=at, data=data)


async def test_a_document_whose_time_was_over_is_told_as_gone(accrual: Accrual, client: httpx2.AsyncClient) -> None:
    bought = purchase(1, 1000, owner=ANNA)
    await accrual.award(bought)
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute(DOCUMENTS.statement, transaction.now.replace(year=9999), 10)

    (award,) = await read_all(client, ANNA)

    assert (award["document"], award["applied_rules"]) == (None, [{"rule_id": "base", "points": 10}])


async def test_who_was_merged_away_keeps_what_came_under_the_old_id(
    accrual: Accrual, client: httpx2.AsyncClient
) -> None:
    await accrual.award(purchase(1, 1000, owner=ANNA), purchase(2, 10, owner=ANNA), purchase(3, 1000, owner=BERT))
    await accrual.members(status_changed(ANNA, "merged"), merged_into(BERT, ANNA))
    await accrual.award(purchase(4, 1000, owner=ANNA), purchase(5, 10, owner=ANNA))  # a till that has not heard of it

    both = [*await read_all(client, ANNA), *await read_all(client, BERT)]

    told = sorted(natural_key_of(item["receipt_id"]) for item in both)
    wanted = [purchase(number, 10).data.receipt_id for number in range(1, 6)]
    assert told == sorted(map(natural_key_of, wanted))


async def test_who_may_not_ask(client: httpx2.AsyncClient) -> None:
    assert await refusals(client, ANNA) == REFUSED
