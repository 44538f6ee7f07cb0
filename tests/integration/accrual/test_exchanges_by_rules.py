"""Exchanges beside caps, policies, parts, visits and tiers: as a return and a purchase at once, without flapping."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.accrual.domain.runs import in_runs
from shared.events.points import PointsExchanged, PointsPending, ReceiptRefused
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, PurchaseRecorded
from shared.events.tiers import TierChanged
from shared.ledger import Balances, SpendLate, post
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined, new_member
from tests.support.accrual_tiers import publish, tier_of
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import STATUS, balances, hold, release, rule, rule_set
from tests.support.interleaving import interleave
from tests.support.ledger_database import verified
from tests.support.receipts import (
    RULES,
    document,
    enrolled,
    exchange_of,
    line,
    merged_into,
    purchase,
    return_of,
    void_of,
)
from tests.support.tiers import scheme

DAY = {"kind": "calendar", "unit": "day", "zone": "store"}


def since(month: int) -> datetime:
    return datetime(2026, month, 1, tzinfo=UTC)


def with_coupon(rule_id: str, points: int, also: dict[str, Any]) -> dict[str, Any]:
    when = {"kind": "all", "of": [{"kind": "coupon", "codes": [rule_id]}, also]}
    return rule(rule_id, {"kind": "fixed_points", "points": points}, condition={"when": when})


# Each test buys in a month of its own, and so by rules of its own.
CAPPED, IN_PARTS, REFUSING, CLIPPING, COUNTING, PLAIN = (since(month) + timedelta(days=9) for month in range(2, 8))
VERSIONS = [
    rule_set(rule("base"), version=2, effective_from=since(2), caps=[{"kind": "balance", "points_max": 100}]),
    rule_set(
        rule("base"),
        rule("status", STATUS),
        rule("produce", condition={"categories": ["PRODUCE"]}, apply_in="fixed", pending_days=3_000),
        version=3,
        effective_from=since(3),
    ),
    rule_set(rule("base"), version=4, effective_from=since(4), returns={"claw_back": "refuse"}),
    rule_set(
        rule("base"),
        rule(
            "large",
            {"kind": "fixed_points", "points": 50},
            condition={"when": {"kind": "amount", "at_least_minor": 50_000}},
        ),
        version=5,
        effective_from=since(5),
        returns={"claw_back": "clip"},
    ),
    rule_set(
        rule("base", caps=[{"kind": "member", "points_max": 50, "window": DAY}], campaign="summer"),
        with_coupon(
            "second", 7, {"kind": "nth", "nth": 2, "window": {"kind": "calendar", "unit": "month", "zone": "store"}}
        ),
        version=6,
        effective_from=since(6),
        campaigns=[
            {
                "id": "summer",
                "name": "Summer",
                "from_date": "2026-06-01",
                "until_date": "2026-06-30",
                "zone": "programme",
                "budget": {"points_max": 10_000},
            }
        ],
    ),
    rule_set(rule("base"), version=7, effective_from=since(7)),
]
_numbers = count(1)


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES, *VERSIONS, zone=ZoneInfo("America/New_York")) as accrual:
        yield accrual
        assert (await verified(module_database)).is_sound


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def bought(
    accrual: Accrual, owner: UUID, at: datetime, lines: int | Sequence[Any] = 1000, spent: int = 0
) -> PurchaseRecorded:
    sale = purchase(next(_numbers), lines, owner=owner, occurred_at=at)
    await accrual.award(sale)
    if spent:
        async with accrual.database.transaction() as transaction:
            await post(transaction, [SpendLate(owner, "points", next(_numbers).to_bytes(8), spent, "fuel")])
    await accrual.drain()
    return sale


def coupon(exchange: ExchangeRecorded, code: str) -> ExchangeRecorded:
    return exchange.model_copy(update={"data": exchange.data.model_copy(update={"coupons": (code,)})})


async def test_a_full_balance_stays_full(accrual: Accrual, anna: UUID) -> None:
    sale = await bought(accrual, anna, CAPPED, 12_000)
    even = exchange_of(sale, next(_numbers), {1: 1000}, 12_000)
    more = exchange_of(even, next(_numbers), {1: 250}, 20_000)

    await accrual.award(even, more)

    assert await accrual.balance(anna) == Balances(available=100)
    told = [event.data for event in await accrual.drain() if isinstance(event, PointsExchanged)]
    assert [(data.net_points, data.given[0].points, data.became_debt) for data in told] == [(0, 100, 0), (0, 10, 0)]


async def test_each_type_and_part_is_netted_and_a_void_brings_all_of_them_back(accrual: Accrual, anna: UUID) -> None:
    sale = await bought(accrual, anna, IN_PARTS, [line(1, 1000, "PRODUCE"), line(2, 500)])
    had = await accrual.balance(anna), await balances(accrual, anna, "status")
    assert had == (Balances(available=15, pending=10), Balances(available=30))
    exchange = exchange_of(sale, next(_numbers), {1: 500, 2: 1000}, [line(1, 2000), line(2, 300, "PRODUCE")])

    await accrual.award(exchange)
    told = [event for event in await accrual.drain() if isinstance(event, PointsExchanged | PointsPending)]
    assert await accrual.balance(anna) == Balances(available=5 + 23, pending=5 + 3)
    assert await balances(accrual, anna, "status") == Balances(available=10 + 46)
    exchanged = {event.data.point_type: event.data for event in told if isinstance(event, PointsExchanged)}
    assert {name: data.net_points for name, data in exchanged.items()} == {"points": 13 - 2, "status": 26}
    assert exchanged["points"].balance.pending == 8
    assert [event.data.points for event in told if isinstance(event, PointsPending)] == [3]

    await accrual.award(return_of(exchange, next(_numbers), {1: 500}))
    await accrual.award(void_of(exchange, next(_numbers)))
    assert (await accrual.balance(anna), await balances(accrual, anna, "status")) == had


async def test_what_may_not_be_owed_is_refused_on_both_sides_unless_the_new_goods_cover_it(
    accrual: Accrual, anna: UUID
) -> None:
    sale = await bought(accrual, anna, REFUSING, spent=8)

    for_less = await accrual.award(exchange_of(sale, next(_numbers), {1: 1000}, 700))
    assert (for_less.refused, for_less.exchanged) == ({"points_spent": 1}, 0)
    assert await accrual.balance(anna) == Balances(available=2)
    assert [event.data.reason for event in await accrual.drain() if isinstance(event, ReceiptRefused)]

    assert (await accrual.award(exchange_of(sale, next(_numbers), {1: 1000}, 900))).exchanged == 1
    assert await accrual.balance(anna) == Balances(available=1)


async def test_what_was_clipped_is_not_given_back_by_the_void(accrual: Accrual, anna: UUID) -> None:
    sale = await bought(accrual, anna, CLIPPING, spent=10)
    exchange = exchange_of(sale, next(_numbers), {1: 1000}, 300)

    await accrual.award(exchange)
    (told,) = [event.data for event in await accrual.drain() if isinstance(event, PointsExchanged)]
    assert (told.taken[0].points, told.taken[0].clipped, told.balance.available) == (3, 7, 0)
    await accrual.award(void_of(exchange, next(_numbers)))

    assert await accrual.balance(anna) == Balances()
    await bought(accrual, anna, CLIPPING)
    await accrual.award(return_of(sale, next(_numbers), {1: 1000}))
    assert await accrual.balance(anna) == Balances()


async def test_what_others_had_clipped_is_not_given_back_by_the_void_of_an_exchange_that_took_all_of_its_own(
    accrual: Accrual, anna: UUID
) -> None:
    """Six hundred dollars twice gave 1250, of which 650 are spent. The exchange takes 600, and the return finds three
    of its 650, the bonus among them: with the first goods back the purchase is worth 650, but 600 were taken for them.
    """
    sale = await bought(accrual, anna, CLIPPING, [line(1, 60_000), line(2, 60_000)], spent=650)
    exchange = exchange_of(sale, next(_numbers), {1: 1000}, 300)
    await accrual.award(exchange)
    assert await accrual.balance(anna) == Balances(available=3)
    await accrual.award(return_of(sale, next(_numbers), {2: 1000}))
    assert await accrual.balance(anna) == Balances()

    await accrual.award(void_of(exchange, next(_numbers)))

    assert await accrual.balance(anna) == Balances(available=600 - 3)  # what the new goods had earned goes back


async def test_caps_and_budgets_are_given_back_before_they_are_taken(accrual: Accrual, anna: UUID) -> None:
    async def budget_used() -> int:
        async with accrual.database.transaction() as transaction:
            return int(await transaction.raw.fetchval("select coalesce(sum(points_used), 0) from campaign_budgets"))

    before = await budget_used()
    sale = await bought(accrual, anna, COUNTING, 6_000)
    exchange = exchange_of(sale, next(_numbers), {1: 500}, 9_000)

    await accrual.award(exchange)  # of sixty dollars the day's cap left fifty: thirty are kept, and room is for twenty
    assert (await accrual.balance(anna), await budget_used() - before) == (Balances(available=50), 50)
    await accrual.award(void_of(exchange, next(_numbers)))
    assert (await accrual.balance(anna), await budget_used() - before) == (Balances(available=50), 50)
    await accrual.award(purchase(next(_numbers), 500, owner=anna, occurred_at=COUNTING))
    assert await accrual.balance(anna) == Balances(available=50)


async def test_an_exchange_is_a_visit_only_where_something_was_paid_on_top(accrual: Accrual, anna: UUID) -> None:
    sale = await bought(accrual, anna, COUNTING)

    even = coupon(exchange_of(sale, next(_numbers), {1: 500}, 500), "second")
    await accrual.award(even)
    assert await accrual.balance(anna) == Balances(available=10)
    dearer = coupon(exchange_of(sale, next(_numbers), {1: 100}, 200), "second")
    await accrual.award(dearer)
    assert await accrual.balance(anna) == Balances(available=10 + 1 + 7)
    await accrual.award(void_of(dearer, next(_numbers)))
    await accrual.award(coupon(exchange_of(sale, next(_numbers), {1: 100}, 200), "second"))
    assert await accrual.balance(anna) == Balances(available=10 + 1 + 7)


async def test_under_a_hold_of_frauds_the_new_goods_wait_and_so_does_what_a_void_gives_back(
    accrual: Accrual, anna: UUID
) -> None:
    sale = await bought(accrual, anna, PLAIN)
    exchange = exchange_of(sale, next(_numbers), {1: 400}, 700, owner=anna)
    await hold(accrual, exchange)  # type: ignore[arg-type]
    await accrual.award(exchange)
    assert await accrual.balance(anna) == Balances(available=6, pending=7)

    await hold(accrual, sale)
    await accrual.award(void_of(exchange, next(_numbers)))
    assert await accrual.balance(anna) == Balances(pending=10)
    await release(accrual, sale)
    assert await accrual.balance(anna) == Balances(available=10)


async def test_after_a_merge_both_sides_are_the_survivors(accrual: Accrual, anna: UUID) -> None:
    anne = new_member()
    await accrual.members(enrolled(anne))
    sale = await bought(accrual, anne, PLAIN)
    exchange = exchange_of(sale, next(_numbers), {1: 400}, 700)
    await accrual.award(exchange)
    await accrual.members(merged_into(anna, anne))

    await accrual.award(exchange_of(sale, next(_numbers), {1: 600}, 900))
    await accrual.award(void_of(exchange, next(_numbers)))

    assert await accrual.balance(anna) == Balances(available=4 + 9)


async def test_a_void_and_a_return_of_the_same_goods_at_once_leave_what_one_after_the_other_leave(
    accrual: Accrual, anna: UUID
) -> None:
    sale = await bought(accrual, anna, PLAIN)
    exchange = exchange_of(sale, next(_numbers), {1: 400}, 700)
    await accrual.award(exchange)
    void, back = void_of(exchange, next(_numbers)), return_of(sale, next(_numbers), {1: 600})

    await interleave(
        accrual.database,
        lambda transaction: accrual.award_in(transaction, [void]),
        lambda transaction: accrual.award_in(transaction, [back]),
    )

    assert await accrual.balance(anna) == Balances(available=4)


@st.composite
def plays(draw: st.DrawFn) -> tuple[list[tuple[str, Any]], list[int]]:
    """What happens to one sale, as verbs, and where to cut the stream.

    Returns bring back at most what the exchange leaves: of two that want the same goods the first to be decided has
    them, and which one that is depends on when what waited for its purchase is read again.
    """
    verbs = draw(
        st.permutations(
            [
                "sale",
                "exchange",
                "again",
                *draw(st.lists(st.sampled_from(["void", "return", "back"]), max_size=3, unique=True)),
            ]
        )
    )
    steps = [(verb, draw(st.integers(1, 6 if verb == "return" else 9))) for verb in verbs]
    return steps, draw(st.lists(st.integers(1, len(steps)), max_size=3))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(play=plays(), at=st.sampled_from([CAPPED, CLIPPING, COUNTING, PLAIN]))
async def test_any_batching_leaves_the_same(
    play: tuple[list[tuple[str, int]], list[int]], at: datetime, accrual: Accrual
) -> None:
    """In any order; under caps and clips, where it matters who comes first, nothing comes before its purchase."""
    steps, cuts = play
    if at != PLAIN:
        steps = sorted(steps, key=lambda step: {"sale": 0, "exchange": 1}.get(step[0], 2))
    left = [await _left_by(accrual, steps, edges, at) for edges in (list(range(1, len(steps))), sorted({*cuts}))]

    assert left[0] == left[1]


async def _left_by(accrual: Accrual, steps: list[tuple[str, int]], cuts: list[int], at: datetime) -> Balances:
    owner = new_member()
    await accrual.members(enrolled(owner))
    sale = purchase(next(_numbers), 9_000, owner=owner, occurred_at=at)
    exchange = exchange_of(sale, next(_numbers), {1: 400}, [line(1, 5_000), line(2, 2_000)])
    made: dict[str, Any] = {
        "sale": lambda _: sale,
        "exchange": lambda _: exchange,
        "again": lambda tenths: exchange_of(exchange, next(_numbers), {1: tenths * 100}, 3_000),
        "void": lambda _: void_of(exchange, next(_numbers)),
        "return": lambda tenths: return_of(sale, next(_numbers), {1: tenths * 100}),
        "back": lambda tenths: return_of(exchange, next(_numbers), {2: tenths * 100}),
    }
    events: list[PurchaseEvent] = [made[verb](tenths) for verb, tenths in steps]
    edges = [0, *cuts, len(events)]
    for start, end in pairwise(edges):
        for run in in_runs([document(event) for event in events[start:end]], accrual.rules.history):
            await accrual.award(*(one.event for one in run))
    while released := await accrual.released():
        for run in in_runs([document(event) for event in released], accrual.rules.history):
            await accrual.award(*(one.event for one in run))
    return await accrual.balance(owner)


async def test_a_tier_is_graded_once_by_both_sides(accrual: Accrual, anna: UUID) -> None:
    """Last, since the scheme is the programme's from here on: gold from 500 points, at once, and lost at once."""
    await publish(accrual, scheme(on_reversal="regrade"))
    sale = await bought(accrual, anna, PLAIN, 50_000)
    assert await tier_of(accrual, anna) == "gold"

    even = exchange_of(sale, next(_numbers), {1: 1000}, 50_000)
    await accrual.award(even)
    assert [event for event in await accrual.drain() if isinstance(event, TierChanged)] == []
    less = exchange_of(even, next(_numbers), {1: 1000}, 9_900)
    await accrual.award(less)
    await accrual.award(void_of(less, next(_numbers)))

    told = [event.data for event in await accrual.drain() if isinstance(event, TierChanged)]
    assert [(data.old_tier, data.new_tier, data.reason) for data in told] == [
        ("gold", "basic", "reversed"),
        ("basic", "gold", "qualified"),
    ]
