"""The report of a backtest. Its JSON Schema is published in ``docs/rule-sets``."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

from pydantic import Field

from services.accrual.schemas.fields import Answer

# What is not exact of this report; the words for each are in docs/rule-sets/backtests.md.
Approximation: TypeAlias = Literal[
    "caps_begin_with_nothing_used",
    "counters_from_before_the_period_as_they_stand_now",
    "unknown_balance_caps_nothing",
    "tiers_as_they_were",
    "partners_left_out",
    "sample",
]


class SideReport(Answer):
    """Points given, in how many receipts; what came back of them; what is left, and what that costs."""

    receipts: int = Field(description="Receipts that were given points.")
    points: int
    taken_back: int
    net_points: int
    cost: Decimal = Field(description="Of the net points, in the currency's major unit.")


class ComparedReport(Answer):
    """What was awarded beside what the rule set would have given; the difference is the second less the first."""

    awarded: SideReport
    drafted: SideReport
    net_points_difference: int
    cost_difference: Decimal


class RuleReport(ComparedReport):
    """One rule by its id, whatever its version. Points of a type of their own cost nothing."""

    rule_id: str
    name: str
    point_type: str | None = Field(description="Null: the programme's own.")


class GroupReport(ComparedReport):
    """``receipts`` of one partner or tier; of whoever had no tier it is null."""

    name: str | None
    receipts: int


class StoreReport(ComparedReport):
    """``receipts`` of one store."""

    partner_id: str
    store_id: str
    receipts: int


class DayReport(ComparedReport):
    """``receipts`` of one day, on the programme's clock."""

    day: date
    receipts: int


class CapReport(Answer):
    """How often a cap of the rule set left a rule less, and how many points it took."""

    rule_id: str
    cap: str
    receipts: int
    points: int


class BudgetReport(Answer):
    """What a campaign of the rule set gives in the period, of what it may give at most."""

    campaign_id: str
    name: str
    points: int
    receipts: int
    points_max: int | None
    receipts_max: int | None


class MemberReport(Answer):
    """A member whose points change most."""

    member_id: UUID
    net_points_difference: int


class SpreadReport(Answer):
    """Members whose points change in one direction. ``tenths``: by how much at most (nearer to zero) each tenth does.

    ``foremost`` are those whose points change most; they are shown to whoever may see members of a backtest.
    """

    members: int
    net_points_difference: int
    tenths: list[int]
    foremost: list[MemberReport] | None


class MembersReport(Answer):
    """Winners and losers."""

    members: int
    unchanged: int
    winners: SpreadReport
    losers: SpreadReport


class BacktestReport(Answer):
    """What a rule set would have given for receipts of the past, beside what was awarded for them.

    Points are the programme's own, but for rules that name another type. ``not_judged`` are receipts that the rule set
    could not be applied to, and those that were moved to another member after goods of them had come back; they are in
    no sum.
    """

    backtest_id: UUID
    rule_set_id: UUID
    rule_set_revision: int
    from_date: date
    until_date: date
    decided_until: datetime = Field(description="Receipts that were decided later are not part of it.")
    partners: list[str]
    sample_percent: int
    currency: str
    point_type: str
    receipts: int
    not_judged: int
    approximations: list[Approximation]
    total: ComparedReport
    rules: list[RuleReport]
    partners_compared: list[GroupReport]
    tiers: list[GroupReport]
    stores: list[StoreReport]
    days: list[DayReport]
    caps: list[CapReport]
    budgets: list[BudgetReport]
    members: MembersReport

    def without_members(self) -> "BacktestReport":
        """The same for whoever may not see which members win and lose most."""
        winners = self.members.winners.model_copy(update={"foremost": None})
        losers = self.members.losers.model_copy(update={"foremost": None})
        members = self.members.model_copy(update={"winners": winners, "losers": losers})
        return self.model_copy(update={"members": members})

    def named(self) -> list[tuple[UUID, int]]:
        """The members that it names, and by how much their points change."""
        foremost = (*(self.members.winners.foremost or ()), *(self.members.losers.foremost or ()))
        return [(one.member_id, one.net_points_difference) for one in foremost]

    def naming(self, named: Iterable[tuple[UUID, int]]) -> "BacktestReport":
        """The same, naming these members, in this order."""
        told = [MemberReport(member_id=member_id, net_points_difference=points) for member_id, points in named]
        gain = [one for one in told if one.net_points_difference > 0]
        lose = [one for one in told if one.net_points_difference < 0]
        winners = self.members.winners.model_copy(update={"foremost": gain})
        losers = self.members.losers.model_copy(update={"foremost": lose})
        members = self.members.model_copy(update={"winners": winners, "losers": losers})
        return self.model_copy(update={"members": members})
