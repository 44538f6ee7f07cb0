"""Which of a draft's counters the versions in force tell of: what they had counted is stored with what they awarded."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from typing import NamedTuple, TypeAlias

from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import CountedPlace

# A member's cap by the name that it is counted under, or whose purchases are counted.
Counter: TypeAlias = str | CountedPlace


class Told(NamedTuple):
    """Counters of which every version in force tells, and those of which some version does."""

    always: frozenset[Counter]
    ever: frozenset[Counter]


def told_of(draft: RuleSet, in_force: Collection[RuleSet]) -> Told:
    """Of the draft's counters. A version tells of a place where it asks all of it that the draft asks."""
    by_version = [_told_by(rule_set, draft) for rule_set in in_force]
    if not by_version:
        return Told(frozenset(), frozenset())
    return Told(frozenset.intersection(*by_version), frozenset.union(*by_version))


def places_of(rule_set: RuleSet) -> tuple[CountedPlace, ...]:
    """Whose purchases a rule set wants counted."""
    return tuple(dict.fromkeys(CountedPlace(key.at, key.zone) for key in rule_set.needs.activity))


def _told_by(rule_set: RuleSet, draft: RuleSet) -> frozenset[Counter]:
    caps: AbstractSet[Counter] = {cap.name for cap in rule_set.needs.member_caps}
    lacking = {CountedPlace(key.at, key.zone) for key in set(draft.needs.activity) - set(rule_set.needs.activity)}
    places: AbstractSet[Counter] = set(places_of(draft)) - lacking
    return frozenset(caps | places)
