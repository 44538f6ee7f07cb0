"""Rule sets: immutable, published versions of all rules, and which of them was in force when.

A worker judges every receipt by the version in force at the receipt's time, so that a replay, a return or a backtest
next year gives the same points.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StrictInt, StringConstraints, model_validator

from services.accrual.domain.rules.caps import BalanceCap, Campaign, MemberCap, RuleSetCap
from services.accrual.domain.rules.counted import Counted, Exclusions
from services.accrual.domain.rules.effects import PointsPerAmount, PointsPerQuantity
from services.accrual.domain.rules.expiry import ExpiryPolicy, expires_on
from services.accrual.domain.rules.goods_alone import caps_of_a_receipt, rules_of_goods_alone
from services.accrual.domain.rules.inactivity import Inactivity
from services.accrual.domain.rules.needs import CountedPlace, Needs, cap_name, needs_of
from services.accrual.domain.rules.pending import PendingPolicy
from services.accrual.domain.rules.returned import Returned
from services.accrual.domain.rules.rule import CAPS_MAX, Group, Rule
from services.accrual.domain.rules.terms import PartTerms, expiry_said, pending_said, terms_said
from services.accrual.domain.rules.values import DAYS_MAX, DENOMINATOR_MAX, RULES_MAX, Days, Frozen

GROUPS_MAX = 100
CAMPAIGNS_MAX = 100
# Whether a member was in each, or met each, is stored with every award, in a bit.
MEMBER_GROUPS_MAX = 200
ATTRIBUTE_TESTS_MAX = 200
_UNKNOWN = date.min  # no points expire on it


class RuleSetDraft(Frozen):
    """A rule set before it has a version.

    ``currency`` is what every amount in it counts in; absent, the programme's. A receipt in another earns nothing.
    ``expiry_counts_from``: whether points that wait last from the day of the receipt, or from that of their release.
    """

    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=RULES_MAX)]
    exclusions: Exclusions = Exclusions()
    counted: Counted = Counted()
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    groups: Annotated[tuple[Group, ...], Field(max_length=GROUPS_MAX)] = ()
    campaigns: Annotated[tuple[Campaign, ...], Field(max_length=CAMPAIGNS_MAX)] = ()
    caps: Annotated[tuple[RuleSetCap, ...], Field(max_length=CAPS_MAX)] = ()
    pending_days: Days | None = None
    expires_after_days: Annotated[StrictInt, Field(ge=1, le=DAYS_MAX)] | None = None
    expiry: ExpiryPolicy | None = None
    returns: Returned = Returned()
    inactivity: Inactivity | None = None
    pending: PendingPolicy | None = None
    expiry_counts_from: Literal["earning", "release"] = "earning"

    @model_validator(mode="after")
    def _check(self) -> "RuleSetDraft":
        if self.expires_after_days is not None and self.expiry is not None:
            raise ValueError("say how long points last in expires_after_days or in expiry, one of the two")
        if self.pending_days is not None and self.pending is not None:
            raise ValueError("say how long points wait in pending_days or in pending, one of the two")
        _refuse_doubled("rule", (rule.id for rule in self.rules))
        _refuse_doubled("group", (group.id for group in self.groups))
        _refuse_doubled("campaign", (campaign.id for campaign in self.campaigns))
        if "points" not in self.exclusions.tenders:
            raise ValueError("a part paid with points never earns: exclusions.tenders must name 'points'")
        if self.denominator > DENOMINATOR_MAX:
            raise ValueError(
                "the steps of the rules have no common multiple small enough: use rounder step_minor values"
            )
        self._check_groups()
        self._check_caps()
        if len(self.needs.groups) > MEMBER_GROUPS_MAX:
            raise ValueError(f"a rule set names at most {MEMBER_GROUPS_MAX} segments and campaigns that members join")
        if len(self.needs.attributes) > ATTRIBUTE_TESTS_MAX:
            raise ValueError(f"a rule set tests attributes in at most {ATTRIBUTE_TESTS_MAX} ways")
        named = {campaign.id for campaign in self.campaigns}
        unknown = sorted({rule.campaign for rule in self.rules if rule.campaign is not None} - named)
        if unknown:
            raise ValueError(f"rules name campaigns that are not there: {', '.join(unknown)}")
        return self

    def _check_groups(self) -> None:
        named = {group.id for group in self.groups}
        members: dict[str, set[tuple[object, object]]] = {}
        for rule in self.rules:
            if rule.group is not None:
                members.setdefault(rule.group, set()).add((rule.phase, rule.effect.point_type))
        unknown = sorted(members.keys() - named)
        if unknown:
            raise ValueError(f"rules name groups that are not there: {', '.join(unknown)}")
        mixed = sorted(group for group, kinds in members.items() if len(kinds) > 1)
        if mixed:
            raise ValueError(f"rules of one group have one phase and one point type; not so in: {', '.join(mixed)}")

    def _check_caps(self) -> None:
        for caps in (*(rule.caps for rule in self.rules), *(one.caps for one in self.campaigns), self.caps):
            names = [cap_name("", cap.window) if isinstance(cap, MemberCap) else cap.kind for cap in caps]
            _refuse_doubled("cap", names)

    @cached_property
    def denominator(self) -> int:
        """A multiple of every step times 100, so that exact points are whole numbers over it."""
        steps = [rule.effect.step_minor for rule in self.rules if isinstance(rule.effect, PointsPerAmount)]
        steps += [rule.effect.step_thousandths for rule in self.rules if isinstance(rule.effect, PointsPerQuantity)]
        return math.lcm(1, *steps) * 100

    @cached_property
    def _expires_on(self) -> dict[date, date | None]:
        return {}

    def expires_on(self, earned_on: date) -> date | None:
        """The first day on which points that were earned on this day may no longer be spent; None: never.

        Worked out once a day: a batch asks for every receipt.
        """
        found = self._expires_on.get(earned_on, _UNKNOWN)
        if found is _UNKNOWN:
            policy = self.own_terms.expiry
            found = self._expires_on[earned_on] = None if policy is None else expires_on(policy, earned_on)
        return found

    @cached_property
    def needs(self) -> Needs:
        """The facts that must be handed in to judge a receipt by these rules."""
        return needs_of(self)

    @cached_property
    def needs_facts(self) -> bool:
        """Whether a receipt is judged by more than itself and its categories."""
        return any(self.needs)

    @cached_property
    def needs_loading(self) -> bool:
        """Whether some of that must be looked up."""
        return any(self.needs._replace(programme_zone=False))

    @cached_property
    def own_terms(self) -> PartTerms:
        """The terms of the programme's own points, where a rule says nothing else."""
        return PartTerms(
            None, pending_said(self.pending, self.pending_days), expiry_said(self.expiry, self.expires_after_days)
        )

    @property
    def has_parts(self) -> bool:
        """Whether some points are of another type, or on other terms, than the programme's own, or wait."""
        own = self.own_terms
        return own.pending is not None or any(self.terms_of(rule.id) != own for rule in self.rules)

    @cached_property
    def _terms(self) -> dict[str, PartTerms]:
        own, campaigns = self.own_terms, {campaign.id: campaign for campaign in self.campaigns}
        said = {rule.id: terms_said(rule, own, campaigns.get(rule.campaign or "")) for rule in self.rules}
        once = {own: own}  # equal terms are one object, which is found without being compared
        return {rule_id: once.setdefault(terms, terms) for rule_id, terms in said.items()}

    def terms_of(self, rule_id: str) -> PartTerms:
        """The type and the terms of what a rule gives."""
        return self._terms[rule_id]

    @cached_property
    def balance_max(self) -> int | None:
        """What a member's balance may be lifted to, where there is a cap on it."""
        return next((cap.points_max for cap in self.caps if isinstance(cap, BalanceCap)), None)


class RuleSet(RuleSetDraft):
    """A published version, in force from ``effective_from`` until the next one."""

    version: Annotated[StrictInt, Field(ge=1)]
    effective_from: AwareDatetime

    @cached_property
    def in_order(self) -> tuple[Rule, ...]:
        """The rules in the order of their phases; within one, as the programme listed them."""
        return tuple(sorted(self.rules, key=lambda rule: rule.phase))

    @cached_property
    def of_goods_alone(self) -> "RuleSet | None":
        """What of these rules speaks of goods alone, as a version of its own; None: none of them does."""
        rules = tuple(rules_of_goods_alone(self))
        if not rules:
            return None
        return RuleSet(
            version=self.version,
            effective_from=self.effective_from,
            rules=rules,
            exclusions=self.exclusions,
            counted=self.counted,
            currency=self.currency,
            groups=self.groups,
            caps=caps_of_a_receipt(self.caps),
        )

    @cached_property
    def plans(self) -> dict[str, Any]:
        """What was made of the rules to judge by them, by partner (``plans.plan_for``). Nobody else writes here."""
        return {}


class RuleSetHistory:
    """All published versions, by when they take effect. One that was ``withdrawn`` before never does."""

    def __init__(self, rule_sets: Sequence[RuleSet], withdrawn: Collection[int] = ()) -> None:
        self._newest_first = sorted(
            (rule_set for rule_set in rule_sets if rule_set.version not in withdrawn),
            key=lambda rule_set: (rule_set.effective_from, rule_set.version),
            reverse=True,
        )
        self._by_version = {rule_set.version: rule_set for rule_set in rule_sets}

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
    def names_inactivity(self) -> bool:
        """Whether any version lets points lapse for inactivity."""
        return any(rule_set.inactivity is not None for rule_set in self._by_version.values())

    @cached_property
    def clips_below_a_cap(self) -> bool:
        """Whether some version asks for the balance, and by some (another one, perhaps) returns are clipped."""
        versions = self._by_version.values()
        clips = any(rule_set.returns.claw_back == "clip" for rule_set in versions)
        return clips and any(rule_set.needs.balance for rule_set in versions)

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
        return RuleSetHistory(tuple(self._by_version.values()), self._by_version.keys() - {version})

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


def _refuse_doubled(what: str, names: Iterable[str]) -> None:
    names = list(names)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"{what} ids must differ; these stand twice: {', '.join(doubled)}")
