"""Which published rule set was in force when.

A worker judges every receipt by the version in force at the receipt's time, so that a replay, a return or a backtest
next year gives the same points.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from services.accrual.domain.rules.inactivity import Inactivity
from services.accrual.domain.rules.needs import CountedPlace
from services.accrual.domain.rules.rule_set import RuleSet


class RuleSetHistory:
    """All published versions, by when they take effect. One that was ``withdrawn`` before never does.

    Versions are given out as purchases are judged by them; as member events are, by ``of_event``.
    """

    def __init__(self, rule_sets: Sequence[RuleSet], withdrawn: Collection[int] = ()) -> None:
        self._whole = {rule_set.version: rule_set for rule_set in rule_sets}
        self._by_version = {version: rule_set.for_purchases for version, rule_set in self._whole.items()}
        self._newest_first = sorted(
            (rule_set for version, rule_set in self._by_version.items() if version not in withdrawn),
            key=lambda rule_set: (rule_set.effective_from, rule_set.version),
            reverse=True,
        )

    @cached_property
    def counted_places(self) -> Mapping[CountedPlace, datetime]:
        """What is counted of every purchase, and since when: whatever any version asks for, from its first one on.

        It is counted on when later versions ask for it no more, so that there is no hole when another one does.
        """
        since: dict[CountedPlace, datetime] = {}
        for rule_set in self._by_version.values():
            for key in rule_set.needs.activity:
                place = CountedPlace(key.at, key.zone)
                since[place] = min(since.get(place, rule_set.effective_from), rule_set.effective_from)
        return since

    @cached_property
    def needs_loading(self) -> bool:
        """Whether any version is judged by facts that must be looked up."""
        return any(rule_set.needs_loading for rule_set in self._by_version.values())

    @cached_property
    def names_prepayments(self) -> bool:
        """Whether any version lets prepayments earn when they are paid."""
        return any(rule_set.counted.prepayments == "at_payment" for rule_set in self._by_version.values())

    @cached_property
    def names_inactivity(self) -> bool:
        """Whether any version lets points lapse for inactivity."""
        return any(rule_set.inactivity is not None for rule_set in self._by_version.values())

    @cached_property
    def clips_below_a_cap(self) -> bool:
        """Whether some version asks for the balance, and by some (another one, perhaps) returns are clipped: all, or
        those of what points had paid for.
        """
        versions = self._by_version.values()
        clips = any(rule_set.returns.claw_back != "debt" for rule_set in versions) or self.forgives
        return clips and any(rule_set.needs.balance for rule_set in versions)

    @cached_property
    def forgives(self) -> bool:
        """Whether by some version nobody owes a little that is lacking."""
        return any(rule_set.returns.forgive_below is not None for rule_set in self._by_version.values())

    def inactivity_at(self, moment: datetime) -> tuple[Inactivity, datetime] | None:
        """What is said about inactivity then, and since when versions in a row have said anything about it."""
        found: tuple[Inactivity, datetime] | None = None
        for rule_set in self._newest_first:
            if rule_set.effective_from > moment:
                continue
            if rule_set.inactivity is None:
                break
            found = (rule_set.inactivity if found is None else found[0]), rule_set.effective_from
        return found

    @property
    def begins_at(self) -> datetime | None:
        """When the first version took effect; None where there is none."""
        return self._newest_first[-1].effective_from if self._newest_first else None

    def at(self, moment: datetime) -> RuleSet | None:
        """The version in force at ``moment``, or None before the first."""
        for rule_set in self._newest_first:
            if rule_set.effective_from <= moment:
                return rule_set
        return None

    def judging_by(self, version: int) -> "RuleSetHistory":
        """The same versions, of which this one alone judges: what it has awarded before."""
        return RuleSetHistory(tuple(self._whole.values()), self._whole.keys() - {version})

    def judging(self, begin: datetime, end: datetime) -> list[RuleSet]:
        """The versions that judge receipts of a time, the newest first."""
        found = [one for one in self._newest_first if begin < one.effective_from < end]
        first = self.at(begin)
        return found if first is None else [*found, first]

    def version(self, version: int) -> RuleSet:
        """A version by its number, as frozen into an award.

        Raises:
            KeyError: this version was never published (or is not loaded yet).
        """
        return self._by_version[version]

    def of_event(self, version: int, type_code: str) -> RuleSet:
        """A version as member events of this type are judged by it.

        Raises:
            KeyError: this version was never published (or is not loaded yet).
        """
        return self._whole[version].for_event(type_code)
