"""The pure parts of a backtest: what facts a draft lacks, the example of the documentation, spreads, and the page."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.accrual.api.backtest_plots import Pair, bars_plot, lines_plot
from services.accrual.domain.backtests import tally as tally_module
from services.accrual.domain.backtests.counters import BacktestTooLargeError, Counters
from services.accrual.domain.backtests.facts import Before
from services.accrual.domain.backtests.judging import Judge
from services.accrual.domain.backtests.receipts import AwardedReceipt, TakenReturn
from services.accrual.domain.backtests.requests import UnusablePeriodError, check_period, millionths
from services.accrual.domain.backtests.sums import Prices, spread_of
from services.accrual.domain.backtests.tally import Tally
from services.accrual.domain.backtests.told import told_of
from services.accrual.domain.category_mapping import UNMAPPED
from services.accrual.domain.earning_facts import EarningFacts, Used
from services.accrual.domain.earning_windows import Days
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import Needs
from tests.support.receipts import NOON, member, purchase

DAY = date(2026, 11, 1)
NOBODY = Before({}, {})


def rules(points: int, day_max: int, version: int) -> RuleSet:
    window = {"kind": "calendar", "unit": "day", "zone": "programme"}
    rule = {
        "id": "dollar",
        "name": "Dollar",
        "effect": {"kind": "points_per_amount", "points": points, "step_minor": 100},
        "caps": [{"kind": "member", "points_max": day_max, "window": window}],
    }
    document: dict[str, Any] = {"version": version, "effective_from": "2020-01-01T00:00:00Z", "rules": [rule]}
    return RuleSet.model_validate(document)


IN_FORCE, DRAFT = rules(1, 100, 1), rules(2, 130, 2)


def awarded(number: int, dollars: int, used: int, *, comes_back: bool = False) -> AwardedReceipt:
    """A receipt as it was awarded when so much of the day's cap was used."""
    bought = purchase(number, dollars * 100).data
    name = IN_FORCE.needs.member_caps[0].name
    stored = EarningFacts(used={name: Used(used, 1 if used else 0)})
    evaluation = evaluate_purchase(bought, IN_FORCE, facts=stored)
    return AwardedReceipt(
        natural_key=bytes([number]),
        decided_at=NOON + timedelta(minutes=number),
        owner_id=member(1),
        purchase=bought,
        rule_set=IN_FORCE,
        categories=UNMAPPED,
        stored=stored,
        loaded=EarningFacts(),
        points=evaluation.points,
        base_minor=evaluation.base.total_minor,
        applied={one.rule_id: one.points for one in evaluation.applied},
        tier=None,
        comes_back=comes_back,
    )


def test_the_example_of_the_documentation() -> None:
    """docs/rule-sets/backtests.md: the cap's use is what the receipt met, and what the draft has given more."""
    judge = Judge(DRAFT, DAY, told_of(DRAFT, [IN_FORCE]))
    noon, evening = awarded(1, 80, 0, comes_back=True), awarded(2, 40, 80)
    assert (noon.points, evening.points) == (80, 20)

    assert judge.judge(noon, NOBODY).points == 130
    assert judge.judge(evening, NOBODY).points == 0
    returned = judge.take_back(
        TakenReturn(b"r", noon.natural_key, member(1), {1: 1000}, datetime(2026, 11, 2, tzinfo=UTC))
    )
    assert returned is not None
    assert (returned.awarded_points, returned.drafted_points) == (80, 130)
    assert judge.points_ahead == {member(1): -20}


def test_the_rules_that_were_in_force_change_nothing_and_count_nothing() -> None:
    judge = Judge(IN_FORCE, DAY, told_of(IN_FORCE, [IN_FORCE]))
    for receipt in (awarded(1, 80, 0), awarded(2, 40, 80), awarded(3, 70, 100)):
        assert judge.judge(receipt, NOBODY).points == receipt.points
    assert judge.counted.ahead.counted == judge.counted.drafted.counted == 0


def test_every_need_is_known_to_backtests() -> None:
    """Whoever adds a need says in ``domain/backtests/facts.py`` where a backtest has it from."""
    assert Needs._fields == (
        "activity",
        "member_caps",
        "budgets",
        "balance",
        "programme_zone",
        "store_zone",
        "store_group",
        "birthdays",
        "enrolled_at",
        "tier",
        "household",
        "groups",
        "attributes",
        "tier_percent",
    )


def test_counters_have_a_bound_and_count_nothing_where_nothing_is_added() -> None:
    counters = Counters(counted_max=1)
    counters.add(member(1), "cap", DAY, 0, 0)
    counters.add(member(1), "cap", DAY, 5, 1)
    counters.add(member(1), "cap", DAY, 5, 1)
    assert counters.used(member(1), "cap", Days(DAY, DAY)) == Used(10, 2)
    with pytest.raises(BacktestTooLargeError):
        counters.add(member(2), "cap", DAY, 5, 1)


def test_a_spread_tells_each_tenth_and_those_whose_points_change_most() -> None:
    spread = spread_of([(UUID(int=number), -number) for number in range(1, 21)], foremost_max=2)
    assert spread.tenths == (-2, -4, -6, -8, -10, -12, -14, -16, -18, -20)
    assert spread.foremost == ((UUID(int=20), -20), (UUID(int=19), -19))
    assert spread_of([], foremost_max=2).tenths == ()


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (DAY, DAY - timedelta(days=1), "/until_date"),
        (DAY, DAY + timedelta(days=2), "/until_date"),
        (DAY - timedelta(days=366), DAY, "/from_date"),
        (date.min, date.min + timedelta(days=3), "/from_date"),
    ],
)
def test_days_that_cannot_be_judged_are_named(first: date, last: date, field: str) -> None:
    with pytest.raises(UnusablePeriodError) as refused:
        check_period(first, last, today=DAY + timedelta(days=1))
    assert refused.value.field == field


def test_prices_are_whole_millionths() -> None:
    assert millionths(Decimal("0.012345")) == 12_345


@pytest.mark.parametrize("pairs", [[], [Pair("one", 0, 0)], [Pair("<b>", -5, 7), Pair("long" * 20, 3, 0)]])
def test_plots_are_drawn_of_anything_and_escape_what_was_said(pairs: list[Pair]) -> None:
    for plot in (lines_plot("By <day>", pairs), bars_plot("By <day>", pairs)):
        assert plot.count("<svg") == plot.count("</svg>") == 1
        assert "<b>" not in plot
        assert "By &lt;day&gt;" in plot
        assert "nan" not in plot.lower()


def test_points_cost_what_their_rule_says_else_what_their_partner_pays() -> None:
    funding = {
        "payers": [{"payer": "acme", "share_bp": 10_000}],
        "price": {"minor_per_point": "3", "currency": "USD"},
    }
    rate = {"kind": "points_per_amount", "points": 1, "step_minor": 100}
    extra = {"id": "extra", "name": "Extra", "effect": {"kind": "fixed_points", "points": 5}, "funding": funding}
    document: dict[str, Any] = {"version": 3, "effective_from": "2020-01-01T00:00:00Z"}
    draft = RuleSet.model_validate(document | {"rules": [{"id": "dollar", "name": "Dollar", "effect": rate}, extra]})
    tally = Tally(draft, Prices({"grocer": 10_000}, 0), UTC)

    tally.count(Judge(draft, DAY, told_of(draft, [IN_FORCE])).judge(awarded(1, 80, 0), NOBODY))

    assert tally.total.awarded.cost_millionths == 80 * 10_000
    assert tally.total.drafted.cost_millionths == 80 * 10_000 + 5 * 30_000
    by_rule = {key.rule_id: sums.drafted.cost_millionths for key, sums in tally.rules.items()}
    assert by_rule == {"dollar": 800_000, "extra": 150_000}


@pytest.mark.parametrize("places_max", [1, 10_000])
@pytest.mark.parametrize("is_looked_at", [False, True], ids=["asked_once", "asked_all_the_time"])
def test_sums_are_those_of_every_receipt_by_itself(
    monkeypatch: pytest.MonkeyPatch, places_max: int, is_looked_at: bool
) -> None:
    """However few places are kept apart, and however often somebody looks at the tables."""
    monkeypatch.setattr(tally_module, "PLACES_MAX", places_max)
    judge, tally = Judge(DRAFT, DAY, told_of(DRAFT, [IN_FORCE])), Tally(DRAFT, Prices({"grocer": 10_000}, 0), UTC)
    tiers = ["gold", None, "gold", "silver", "gold"]
    receipts = [
        awarded(number, dollars, 0, comes_back=number == 1)._replace(owner_id=member(number), tier=tier)
        for number, (dollars, tier) in enumerate(zip((80, 40, 0, 300, 7), tiers, strict=True), 1)
    ]
    judged = [judge.judge(receipt, NOBODY) for receipt in receipts]
    back = judge.take_back(TakenReturn(b"r", receipts[0].natural_key, member(1), {1: 400}, NOON))
    assert back is not None

    for one in judged:
        tally.count(one)
        if is_looked_at:
            assert tally.total.receipts
            assert tally.rules
    tally.count_return(back)

    drafted, was = sum(one.points for one in judged), sum(one.points for one in receipts)
    total = tally.total
    assert (total.receipts, total.awarded.receipts, total.drafted.receipts) == (5, 4, 4)
    assert (total.awarded.points, total.awarded.taken_back) == (was, back.awarded_points)
    assert (total.drafted.points, total.drafted.taken_back) == (drafted, back.drafted_points)
    assert total.drafted.cost_millionths == 10_000 * (drafted - back.drafted_points)
    (by_rule,) = tally.rules.values()
    assert (by_rule.awarded, by_rule.drafted) == (total.awarded, total.drafted)
    assert tally.partners == {"grocer": total}
    assert tally.days == {DAY: total}
    assert tally.stores == {("grocer", "s1"): total}
    assert {tier: sums.receipts for tier, sums in tally.tiers.items()} == {"gold": 3, None: 1, "silver": 1}
    assert sum(sums.drafted.points - sums.drafted.taken_back for sums in tally.tiers.values()) == (
        drafted - back.drafted_points
    )
