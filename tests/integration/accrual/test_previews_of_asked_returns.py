"""What goods would take of points before there is a return of them: what the return takes then, by line and type."""

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

import httpx2
import pytest

from shared import ledger
from shared.events.purchases import PurchaseLine, PurchaseRecorded, Tender
from shared.ledger import Earn, LotTerms, SpendLate, post
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.receipts import enrolled, line, member, merged_into, purchase, return_of, void_of
from tests.support.registries import bearing
from tests.support.return_policies import CLIPPED, GOODS, OWED, REFUSED, VERSIONS

OURS = bearing("returns:preview", client_id="redemption")
numbers = count(1)


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, *VERSIONS) as accrual:
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def bought(
    accrual: Accrual, owner: UUID | None, at: datetime = OWED, lines: tuple[PurchaseLine, ...] = GOODS, **changes: Any
) -> PurchaseRecorded:
    sale = purchase(next(numbers), lines, owner=owner, occurred_at=at, **changes)
    await accrual.award(sale)
    return sale


async def spend(accrual: Accrual, owner: UUID, points: int) -> None:
    async with accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(owner, "points", b"%d" % next(numbers), points, "fuel")])


async def ask(
    client: httpx2.AsyncClient, sale: PurchaseRecorded, quantities: dict[int, int], *back: dict[str, Any]
) -> dict[str, Any]:
    body = {
        "original_receipt_id": sale.data.receipt_id,
        "lines": [{"line_id": line_id, "quantity_thousandths": number} for line_id, number in quantities.items()],
        "comes_back": back,
    }
    answer = await client.post("/v1/returns:preview", json=body, headers=OURS)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    for one in told["taken"]:
        of_lines = [each for each in told["taken_of_lines"] if each["point_type"] == one["point_type"]]
        for field in ("points", "lacking"):
            assert sum(each[field] for each in of_lines) == one[field]
    return told


def by_type(told: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {one["point_type"]: (one["points"], one["from_pending"], one["lacking"]) for one in told["taken"]}


async def balances(accrual: Accrual, owner: UUID, point_type: str) -> ledger.Balances:
    async with accrual.database.transaction() as transaction:
        found = await ledger.load_balances(transaction, [owner], point_type)
    return found[owner]


async def test_it_says_what_the_return_takes_by_line_and_type_and_partial_returns_add_up(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    sale = await bought(accrual, anna)
    whole = await ask(client, sale, {1: 2_000, 2: 1_000, 3: 1_000})
    assert whole["goods"]["lines"][0] == {
        "line_id": 1,
        "quantity_thousandths": 2_000,
        "amount_minor": 1_000,
        "returned_thousandths": 0,
    }

    asked = ({1: 700, 2: 1_000}, {1: 1_300}, {3: 1_000})
    told = []
    for quantities in asked:
        before = {name: await balances(accrual, anna, name) for name in ("points", "status")}
        told.append(await ask(client, sale, quantities))
        assert await ask(client, sale, quantities) == told[-1]  # nothing was recorded
        await accrual.award(return_of(sale, next(numbers), quantities))
        for name, (points, from_pending, _) in by_type(told[-1]).items():
            after = await balances(accrual, anna, name)
            assert before[name].pending - after.pending == from_pending
            assert before[name].available - after.available == points - from_pending

    for name, (points, from_pending, lacking) in by_type(whole).items():
        parts = [by_type(one).get(name, (0, 0, 0)) for one in told]
        assert tuple(sum(each) for each in zip(*parts, strict=True)) == (points, from_pending, lacking)
    assert {name: points for name, (points, _, _) in by_type(whole).items()} == {"points": 23, "status": 20}
    assert {one["policy"] for one in told} == {"debt"}


@pytest.mark.parametrize(("at", "policy"), [(OWED, "debt"), (CLIPPED, "clip"), (REFUSED, "refuse")])
async def test_what_the_balance_lacks_is_told_whatever_the_rules_make_of_it(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID, at: datetime, policy: str
) -> None:
    """Of the points that could be spent 3 are left. What comes back pays what would be owed; else it covers nothing."""
    sale = await bought(accrual, anna, at)
    had = await balances(accrual, anna, "points")
    await spend(accrual, anna, had.available - 3)
    everything = {1: 2_000, 2: 1_000, 3: 1_000}

    told = await ask(client, sale, everything)
    lacking = had.available - 3
    assert (told["policy"], by_type(told)["points"]) == (policy, (had.available + had.pending, had.pending, lacking))
    assert all(0 <= one["lacking"] <= one["points"] for one in told["taken_of_lines"])

    back = {"member_id": str(anna), "point_type": "points", "points": lacking - 2}
    covered = {
        points: by_type(await ask(client, sale, everything, back | {"points": points})) for points in (lacking - 2, 500)
    }
    assert [each["points"][2] for each in covered.values()] == ([2, 0] if policy == "debt" else [lacking, lacking])
    for others in ({"member_id": str(member(999))}, {"point_type": "status"}):
        assert by_type(await ask(client, sale, everything, back | others))["points"][2] == lacking

    await accrual.award(return_of(sale, next(numbers), everything))
    after = await balances(accrual, anna, "points")
    assert after.debt == (lacking if policy == "debt" else 0)
    assert after.available == (3 if policy == "refuse" else 0)


async def test_debt_of_before_is_cleared_first_by_what_comes_back(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    first = await bought(accrual, anna, lines=(line(1, 1_000),))
    await spend(accrual, anna, 10)
    await accrual.award(return_of(first, next(numbers), {1: 1_000}))
    assert (await balances(accrual, anna, "points")).debt == 10
    second = await bought(accrual, anna, lines=(line(1, 500),))
    assert (await balances(accrual, anna, "points")).debt == 5

    back = {"member_id": str(anna), "point_type": "points", "points": 7}
    assert by_type(await ask(client, second, {1: 1_000}, back))["points"] == (5, 0, 3)


async def test_receipts_that_earned_nothing_are_answered_with_what_they_sold(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    nobodys = await bought(accrual, None)
    told = await ask(client, nobodys, {1: 500})
    assert (told["status"], told["reason"], told["taken"]) == ("parked", "purchase_not_decided_yet", [])
    assert [one["amount_minor"] for one in told["goods"]["lines"]] == [1_000, 333, 77]

    training = await bought(accrual, anna, is_training=True)
    told = await ask(client, training, {1: 500})
    assert (told["status"], told["reason"], len(told["goods"]["lines"])) == ("refused", "original_refused", 3)

    tenders = (Tender(kind="points", amount_minor=410), Tender(kind="card", amount_minor=1_000))
    paid = await bought(accrual, anna, tenders=tenders)
    assert (await ask(client, paid, {1: 500}))["goods"]["points_minor"] == 410

    never = purchase(next(numbers), GOODS, owner=anna)
    assert (await ask(client, never, {1: 1}))["status"] == "awaiting"


async def test_what_cannot_come_back_is_refused_with_its_reason(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    sale = await bought(accrual, anna)
    assert (await ask(client, sale, {9: 1}))["reason"] == "unknown_line"
    assert (await ask(client, sale, {1: 2_001}))["reason"] == "returned_more_than_bought"
    await accrual.award(void_of(sale, next(numbers)))
    assert (await ask(client, sale, {1: 1}))["reason"] == "original_voided"

    malformed: dict[str, Any] = {"original_receipt_id": "??", "lines": [{"line_id": 1, "quantity_thousandths": 1}]}
    answer = await client.post("/v1/returns:preview", json=malformed, headers=OURS)
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/original_receipt_id"]
    twice = malformed | {"original_receipt_id": sale.data.receipt_id, "lines": malformed["lines"] * 2}
    assert (await client.post("/v1/returns:preview", json=twice, headers=OURS)).status_code == 422
    partners = bearing("receipts:write", partner_id="grocer")
    assert (await client.post("/v1/returns:preview", json=malformed, headers=partners)).status_code == 403


async def test_of_who_was_merged_away_it_is_the_survivors_balance_that_lacks(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    old = member(next(numbers))
    await accrual.members(enrolled(old))
    sale = await bought(accrual, old, lines=(line(1, 1_000),))
    await spend(accrual, old, 10)
    await accrual.members(merged_into(anna, old))

    assert by_type(await ask(client, sale, {1: 1_000}))["points"] == (10, 0, 10)
    back = {"member_id": str(old), "point_type": "points", "points": 4}
    assert by_type(await ask(client, sale, {1: 1_000}, back))["points"] == (10, 0, 6)
    async with accrual.database.transaction() as transaction:
        terms = LotTerms(issuer="fuel", available_from=OWED.date(), expires_on=None)
        await post(transaction, [Earn(anna, "points", b"more", 3, terms)])
    assert by_type(await ask(client, sale, {1: 1_000}, back))["points"] == (10, 0, 3)


async def test_many_lines_are_shared_by_what_their_goods_cost(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    goods = tuple(line(number, 100 + number) for number in range(1, 51))
    sale = await bought(accrual, anna, lines=goods)

    told = await ask(client, sale, dict.fromkeys(range(1, 51), 1000))

    assert by_type(told)["points"][0] == sum(one["points"] for one in told["taken_of_lines"]) == 62
