"""What a receipt is judged by beside the document itself and the rules: facts of its store, its member and of before.

All facts are as of just before the receipt, at the receipt's time. Whoever judges hands them in; what a rule set needs
it says itself (``rules.needs``), so that a rule set that needs nothing costs nothing.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from services.accrual.domain.rules.needs import ActivityKey, GroupName
from services.accrual.domain.rules.predicates_of_attributes import AttributeTest
from services.accrual.domain.rules.predicates_of_member import BirthdayNear
from services.accrual.domain.rules.values import Zone


class MissingFactError(LookupError):
    """A rule needs a fact that was not handed in. Points are never given on a guess."""


class Activity(NamedTuple):
    """What was counted of a member in a window, without the receipt itself.

    ``days`` are those on which the member bought, without the receipt's own day; ``is_same_day``: on that one too.
    ``last_on`` is the last of them all, up to the receipt's day. Not ``is_whole``: the member may have bought before
    anything was counted.
    """

    purchases: int = 0
    days: int = 0
    is_same_day: bool = False
    spend_minor: int = 0
    last_on: date | None = None
    is_whole: bool = True


class Used(NamedTuple):
    """What was given so far under a cap, in its window."""

    points: int = 0
    receipts: int = 0


class Left(NamedTuple):
    """What a budget grants. None: without a bound."""

    points: int | None = None
    receipts: int | None = None


class MemberFacts(NamedTuple):
    """The member at the receipt's time. What is not known is None, and matches nothing.

    ``near_birthday`` says of each window that the rules name whether the receipt is in it. The birthday itself is not
    handed in: facts are stored with the award, and a trace may be shown at a till. ``groups`` are those that the rules
    name and the member was in, and ``attributes`` those of their tests that what is said of the member meets.
    ``tier_percent`` is what the tier multiplies by (100: nothing is added), as the scheme of then says.
    """

    near_birthday: Mapping[BirthdayNear, bool] | None = None
    enrolled_at: datetime | None = None
    tier: str | None = None
    is_in_household: bool = False
    groups: frozenset[GroupName] = frozenset()
    attributes: frozenset[AttributeTest] = frozenset()
    tier_percent: int | None = None


class EarningFacts(NamedTuple):
    """All of them. ``activity`` and ``used`` are of this receipt's windows, by what the rule set says it needs.

    ``decided_after``: a receipt of that later time was decided before this one, which comes late. It changes no points.
    """

    programme_zone: tzinfo = UTC
    store_zone: tzinfo | None = None
    store_group: str | None = None
    member: MemberFacts = MemberFacts()
    activity: Mapping[ActivityKey, Activity] = {}
    used: Mapping[str, Used] = {}
    budgets: Mapping[str, Left] = {}
    balance: int | None = None
    decided_after: datetime | None = None

    def zone(self, named: Zone) -> tzinfo:
        """The zone that a rule names.

        Raises:
            MissingFactError: the store's zone was not handed in.
        """
        if named == "programme":
            return self.programme_zone
        if self.store_zone is None:
            raise MissingFactError("the zone of the receipt's store")
        return self.store_zone


NO_FACTS = EarningFacts()


@lru_cache(maxsize=16)  # a process knows one programme
def facts_of_zone(programme_zone: tzinfo) -> EarningFacts:
    """The facts of a receipt whose rules need no more than the programme's zone."""
    return EarningFacts(programme_zone=programme_zone)
