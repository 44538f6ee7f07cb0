"""Rule sets: immutable, published versions of all rules."""

import math
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StrictInt, StringConstraints, model_validator

from services.accrual.domain.rules.caps import BalanceCap, Campaign, MemberCap, RuleSetCap
from services.accrual.domain.rules.counted import Counted, Exclusions
from services.accrual.domain.rules.effects import PointsPerAmount, PointsPerNumber, PointsPerQuantity
from services.accrual.domain.rules.expiry import ExpiryPolicy, expires_on
from services.accrual.domain.rules.goods_alone import caps_of_a_receipt, rules_of_goods_alone
from services.accrual.domain.rules.inactivity import Inactivity
from services.accrual.domain.rules.needs import Needs, cap_name, needs_of
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
        steps += [rule.effect.step for rule in self.rules if isinstance(rule.effect, PointsPerNumber)]
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
        return needs_of(self.rules, self.campaigns, self.caps)

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
            None,
            pending_said(self.pending, self.pending_days),
            expiry_said(self.expiry, self.expires_after_days),
            basis="gift" if self.is_of_events else "purchase",
        )

    @property
    def is_of_events(self) -> bool:
        """Whether it says what member events give, and nothing about purchases: such points are gifts by default."""
        return bool(self.rules) and all(rule.condition.events for rule in self.rules)

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
        rules = tuple(rules_of_goods_alone(self.rules))
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
    def for_purchases(self) -> "RuleSet":
        """The same as purchases are judged by it: itself, where it says nothing about member events."""
        if not any(rule.condition.events for rule in self.rules):
            return self
        return self._with(tuple(rule for rule in self.rules if not rule.condition.events))

    def for_event(self, type_code: str) -> "RuleSet":
        """The same as member events of a type are judged by it; made once."""
        found = self._of_events.get(type_code)
        if found is None:
            rules = tuple(rule for rule in self.rules if type_code in rule.condition.events)
            found = self._of_events[type_code] = self._with(rules, currency=None)  # an event names no amount
        return found

    @cached_property
    def _of_events(self) -> dict[str, "RuleSet"]:
        return {}

    def _with(self, rules: tuple[Rule, ...], **changes: Any) -> "RuleSet":
        """The same with these of its rules, and with the campaigns that none but others are of left out."""
        kept = {rule.id for rule in rules}
        others = {rule.campaign for rule in self.rules if rule.id not in kept} - {rule.campaign for rule in rules}
        campaigns = tuple(campaign for campaign in self.campaigns if campaign.id not in others)
        said = {name: getattr(self, name) for name in type(self).model_fields}
        return RuleSet.model_construct(**said | {"rules": rules, "campaigns": campaigns} | changes)

    @cached_property
    def plans(self) -> dict[str, Any]:
        """What was made of the rules to judge by them, by partner (``plans.plan_for``). Nobody else writes here."""
        return {}


def _refuse_doubled(what: str, names: Iterable[str]) -> None:
    names = list(names)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"{what} ids must differ; these stand twice: {', '.join(doubled)}")
