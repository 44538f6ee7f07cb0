"""Makes the report of a backtest of its sums. Pure."""

from collections.abc import Collection, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from services.accrual.domain.backtests.judging import Judge
from services.accrual.domain.backtests.requests import PRICE_PLACES, ClaimedBacktest
from services.accrual.domain.backtests.sums import RuleSums, Side, Spread, Sums, spread_of
from services.accrual.domain.backtests.tally import Tally
from services.accrual.domain.earning_facts import Used
from services.accrual.domain.rules import RuleSet
from services.accrual.programme import Programme
from services.accrual.schemas.backtest_report import (
    Approximation,
    BacktestReport,
    BudgetReport,
    CapReport,
    ComparedReport,
    DayReport,
    GroupReport,
    MemberReport,
    MembersReport,
    RuleReport,
    SideReport,
    SpreadReport,
    StoreReport,
)

R = TypeVar("R", bound=ComparedReport)

FOREMOST_MAX = 20
STORES_MAX = 5_000


def report_backtest(
    backtest: ClaimedBacktest,
    programme: Programme,
    judge: Judge,
    tally: Tally,
    in_force: Collection[RuleSet],
    decided_until: datetime,
) -> BacktestReport:
    """The report, each table in a fixed order: days by date, the others by how much they change."""
    request = backtest.request
    return BacktestReport(
        backtest_id=backtest.backtest_id,
        rule_set_id=request.rule_set_id,
        rule_set_revision=request.rule_set_revision,
        from_date=request.from_date,
        until_date=request.until_date,
        decided_until=decided_until,
        partners=list(request.partners),
        sample_percent=request.sample_percent,
        currency=programme.currency,
        point_type=programme.point_type,
        receipts=tally.total.receipts,
        not_judged=tally.not_judged,
        approximations=list(_approximations(backtest, tally.draft, in_force)),
        total=ComparedReport(**_compared(tally.total)),
        rules=_largest_first(
            RuleReport(rule_id=key.rule_id, name=sums.name, point_type=key.point_type, **_compared(sums))
            for key, sums in tally.rules.items()
        ),
        partners_compared=_largest_first(_groups(tally.partners)),
        tiers=_largest_first(_groups(tally.tiers)),
        stores=_largest_first(
            StoreReport(partner_id=partner_id, store_id=store_id, receipts=sums.receipts, **_compared(sums))
            for (partner_id, store_id), sums in tally.stores.items()
        )[:STORES_MAX],
        days=[
            DayReport(day=day, receipts=sums.receipts, **_compared(sums)) for day, sums in sorted(tally.days.items())
        ],
        caps=[
            CapReport(rule_id=rule_id, cap=cap, receipts=bite.receipts, points=bite.points)
            for (rule_id, cap), bite in sorted(tally.caps.items(), key=lambda one: (-one[1].points, one[0]))
        ],
        budgets=list(_budgets(tally.draft, judge)),
        members=_members(judge),
    )


def _approximations(
    backtest: ClaimedBacktest, draft: RuleSet, in_force: Collection[RuleSet]
) -> Iterator[Approximation]:
    """What of this report is not exact, see docs/rule-sets/backtests.md."""
    needs = draft.needs
    known = [rule_set.needs for rule_set in in_force]
    caps = {cap.name for cap in needs.member_caps} | set(needs.budgets)
    if any(caps - {cap.name for cap in one.member_caps} - set(one.budgets) for one in known):
        yield "caps_begin_with_nothing_used"
    if any(set(needs.activity) - set(one.activity) for one in known):
        yield "counters_from_before_the_period_as_they_stand_now"
    if needs.balance and not all(one.balance for one in known):
        yield "unknown_balance_caps_nothing"
    if needs.tier:
        yield "tiers_as_they_were"
    if backtest.request.partners:
        yield "partners_left_out"
    if backtest.request.sample_percent < 100:
        yield "sample"


def _groups(sums: dict[str, Sums] | dict[str | None, Sums]) -> Iterator[GroupReport]:
    for name, one in sums.items():
        yield GroupReport(name=name, receipts=one.receipts, **_compared(one))


def _compared(sums: Sums | RuleSums) -> dict[str, Any]:
    awarded, drafted = _side(sums.awarded), _side(sums.drafted)
    return {
        "awarded": awarded,
        "drafted": drafted,
        "net_points_difference": drafted.net_points - awarded.net_points,
        "cost_difference": drafted.cost - awarded.cost,
    }


def _side(side: Side) -> SideReport:
    return SideReport(
        receipts=side.receipts,
        points=side.points,
        taken_back=side.taken_back,
        net_points=side.points - side.taken_back,
        cost=Decimal(side.cost_millionths).scaleb(-PRICE_PLACES),
    )


def _largest_first(reports: Iterator[R]) -> list[R]:
    return sorted(reports, key=lambda one: -abs(one.net_points_difference))


def _budgets(draft: RuleSet, judge: Judge) -> Iterator[BudgetReport]:
    for campaign in draft.campaigns:
        if campaign.budget is not None:
            used = judge.counted.budgets_drafted.get(campaign.id, Used())
            yield BudgetReport(
                campaign_id=campaign.id,
                name=campaign.name,
                points=used.points,
                receipts=used.receipts,
                points_max=campaign.budget.points_max,
                receipts_max=campaign.budget.receipts_max,
            )


def _members(judge: Judge) -> MembersReport:
    changed = judge.points_ahead
    winners = spread_of(((one, points) for one, points in changed.items() if points > 0), FOREMOST_MAX)
    losers = spread_of(((one, points) for one, points in changed.items() if points < 0), FOREMOST_MAX)
    return MembersReport(
        members=len(changed),
        unchanged=len(changed) - winners.members - losers.members,
        winners=_spread(winners),
        losers=_spread(losers),
    )


def _spread(spread: Spread) -> SpreadReport:
    return SpreadReport(
        members=spread.members,
        net_points_difference=spread.points,
        tenths=list(spread.tenths),
        foremost=[MemberReport(member_id=one, net_points_difference=points) for one, points in spread.foremost],
    )
