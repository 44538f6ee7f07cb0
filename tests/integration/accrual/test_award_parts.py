"""Awards of several types and terms on the real tables: earned, taken back, held and let go by part."""

from collections.abc import AsyncIterator
from datetime import date
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.accrual.repository.member_data import load_awards, load_returns
from services.accrual.use_cases.show_receipt import show_receipt
from shared.events.points import PointsClawedBack, PointsEarned, PointsPending, PointsReleased
from shared.ids import new_id
from shared.ledger import Balances, Reserve
from shared.receipt_key import natural_key_of
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.accrual_tiers import now_of, publish
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import STATUS, balances, hold, release, rule, rule_set
from tests.support.ledger_database import posted, verified
from tests.support.receipts import line, purchase, return_of
from tests.support.tiers import scheme

RULES = rule_set(
    rule("base"),
    rule("status", STATUS, condition={"partners": ["grocer"]}, expiry={"kind": "calendar", "month": 12, "day": 31}),
    rule("produce", condition={"categories": ["PRODUCE"]}, apply_in="fixed", expires_after_days=30),
    expires_after_days=730,
)
FIRST = date(2026, 11, 1)
_numbers = count(1)


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES, zone=ZoneInfo("America/New_York")) as accrual:
        yield accrual


@pytest.fixture
async def owner(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def lots(accrual: Accrual, owner: UUID) -> dict[tuple[str, date | None], tuple[int, bool]]:
    """What is left by type and day of expiry, and whether it is pending; emptied lots are left out."""
    async with accrual.database.transaction() as transaction:
        rows = await transaction.raw.fetch(
            """
            select point_type, expires_on, remaining, award is not null as is_pending
            from ledger_lots join ledger_accounts using (account_id)
            where owner_id = $1 and remaining > 0
            """,
            owner,
        )
    return {(row["point_type"], row["expires_on"]): (row["remaining"], row["is_pending"]) for row in rows}


async def test_points_of_every_type_and_term_go_to_lots_of_their_own_and_are_told_one_by_one(
    accrual: Accrual, owner: UUID
) -> None:
    bought = purchase(next(_numbers), [line(1, 1_000), line(2, 700, "PRODUCE")], owner=owner)

    await accrual.award(bought)
    again = await accrual.award(bought)

    assert again.duplicates == 1
    assert await lots(accrual, owner) == {
        ("points", date(2028, 10, 31)): (17, False),
        ("points", date(2026, 12, 1)): (7, False),
        ("status", date(2027, 1, 1)): (34, False),
    }
    told = [event.data for event in await accrual.drain() if isinstance(event, PointsEarned)]
    assert [
        (data.point_type, data.points, data.part and data.part.number, [one.rule_id for one in data.by_rule])
        for data in told
    ] == [("points", 17, 0, ["base"]), ("status", 34, 1, ["status"]), ("points", 7, 2, ["produce"])]
    assert [data.balance.available for data in told] == [17, 34, 24]


async def test_an_award_of_one_lot_has_no_parts_whatever_others_earn(accrual: Accrual, owner: UUID) -> None:
    await accrual.award(purchase(next(_numbers), 100, owner=owner, partner_id="fuel"))
    await accrual.award(purchase(next(_numbers), 300, owner=owner))

    async with accrual.database.transaction() as transaction:
        kept = await transaction.raw.fetch(
            "select awards.points, parts, (select count(*) from award_parts where natural_key = awards.natural_key)"
            " from awards where owner_id = $1 order by points",
            owner,
        )
    assert [tuple(row) for row in kept] == [(1, None, 0), (3, 2, 2)]


async def test_returns_take_each_part_back_to_its_last_point(
    accrual: Accrual, owner: UUID, module_database: FreshDatabase
) -> None:
    bought = purchase(next(_numbers), [line(1, 1_055), line(2, 750, "PRODUCE")], owner=owner)
    await accrual.award(bought)
    await accrual.drain()

    await accrual.award(return_of(bought, next(_numbers), {2: 500}))
    told = [event.data for event in await accrual.drain() if isinstance(event, PointsClawedBack)]
    assert [(data.part, data.point_type, data.points) for data in told] == [
        (0, "points", 4),
        (1, "status", 8),
        (2, "points", 4),
    ]
    await accrual.award(return_of(bought, next(_numbers), {2: 500}), return_of(bought, next(_numbers), {1: 1_000}))

    assert await balances(accrual, owner) == await balances(accrual, owner, "status") == Balances()
    async with accrual.database.transaction() as transaction:
        assert await transaction.raw.fetchval(
            "select bool_and(award_parts.points = award_parts.taken_back) from award_parts join awards"
            " using (natural_key) where owner_id = $1",
            owner,
        )
    assert (await verified(module_database)).is_sound


async def test_what_was_spent_of_a_part_becomes_debt_that_its_own_type_clears(accrual: Accrual, owner: UUID) -> None:
    bought = purchase(next(_numbers), 1_000, owner=owner)
    await accrual.award(bought)
    hold_id = new_id()
    await posted(accrual.database, Reserve(owner, "points", b"till", 10, hold_id))

    other = purchase(next(_numbers), 300, owner=owner)  # and what comes back in the batch in which it was bought
    await accrual.award(
        return_of(bought, next(_numbers), {1: 1_000}), other, return_of(other, next(_numbers), {1: 1_000})
    )

    assert await balances(accrual, owner) == Balances(held=10, debt=10)
    assert await balances(accrual, owner, "status") == Balances()
    await accrual.award(purchase(next(_numbers), 400, owner=owner))
    assert await balances(accrual, owner) == Balances(held=10, debt=6)
    assert await balances(accrual, owner, "status") == Balances(available=8)


@pytest.mark.parametrize("is_hold_first", [True, False])
async def test_a_hold_takes_every_part_and_its_release_gives_back_what_is_left(
    accrual: Accrual, owner: UUID, is_hold_first: bool
) -> None:
    bought = purchase(next(_numbers), [line(1, 1_000), line(2, 1_000, "PRODUCE")], owner=owner)
    if is_hold_first:
        await hold(accrual, bought)
    await accrual.award(bought)
    if not is_hold_first:
        await hold(accrual, bought)
    assert await balances(accrual, owner) == Balances(pending=30)
    assert await balances(accrual, owner, "status") == Balances(pending=40)
    told = [event.data for event in await accrual.drain() if isinstance(event, PointsPending)]
    assert [(data.part, data.points, data.reason) for data in told] == [
        (0, 20, "INS_SWIPE"),
        (1, 40, "INS_SWIPE"),
        (2, 10, "INS_SWIPE"),
    ]

    await accrual.award(return_of(bought, next(_numbers), {2: 1_000}))  # pending points go first
    assert await balances(accrual, owner) == Balances(pending=10)
    await release(accrual, bought)
    await hold(accrual, bought)  # an old decision that comes again changes nothing

    assert await lots(accrual, owner) == {
        ("points", date(2028, 10, 31)): (10, False),
        ("status", date(2027, 1, 1)): (20, False),
    }
    told_of_release = [event.data for event in await accrual.drain() if isinstance(event, PointsReleased)]
    assert [(data.part, data.points) for data in told_of_release] == [(0, 10), (1, 20)]


async def test_an_export_tells_an_award_in_parts_once_with_all_of_them(accrual: Accrual, owner: UUID) -> None:
    bought = purchase(next(_numbers), [line(1, 1_000), line(2, 1_000, "PRODUCE")], owner=owner)
    back = return_of(bought, next(_numbers), {2: 1_000})
    await accrual.award(bought, back, purchase(next(_numbers), 500, owner=owner, partner_id="fuel"))

    async with accrual.database.transaction() as transaction:
        awards = [award for _, award in await load_awards(transaction, owner, 0, 50)]
        [returned] = await load_returns(transaction, owner, b"", 50)
        story = await show_receipt(transaction, natural_key_of(back.data.receipt_id), accrual.rules)
    assert [[(part.point_type, part.points, part.taken_back) for part in award.parts] for award in awards] == [
        [("points", 20, 10), ("status", 40, 20), ("points", 10, 10)],
        [],
    ]
    taken = [("points", 10), ("status", 20), ("points", 10)]
    assert [(part.point_type, part.points) for part in returned.parts] == taken
    assert [(part.point_type, part.points) for part in story.taken] == taken


async def test_a_scheme_may_count_the_points_of_one_type_and_returns_take_theirs_off(
    accrual: Accrual, owner: UUID
) -> None:
    await publish(accrual, scheme(points_of="status"))
    bought = purchase(next(_numbers), 1_000, owner=owner, occurred_at=await now_of(accrual))
    await accrual.award(bought, return_of(bought, next(_numbers), {1: 250}))

    async with accrual.database.transaction() as transaction:
        counted = await transaction.raw.fetchrow("select points, visits from tier_days where member_id = $1", owner)
    assert counted is not None
    assert tuple(counted) == (20 - 5, 1)
