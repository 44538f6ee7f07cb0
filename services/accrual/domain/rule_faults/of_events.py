"""Rules of member events: types that nobody declared, what is not in their payloads, and what only a receipt has."""

from collections.abc import Iterator
from typing import Any

from services.accrual.domain.member_event_types import CodeProperty, MemberEventDraft, Property, WholeProperty
from services.accrual.domain.rule_faults.known import Known
from services.accrual.domain.rule_faults.places import located
from services.accrual.domain.rules.effects import (
    FixedPoints,
    PointsPerAmount,
    PointsPerFullStep,
    PointsPerNumber,
    PointsPerQuantity,
)
from services.accrual.domain.rules.predicates_of_event import PayloadIs, PayloadNumber
from services.accrual.domain.rules.predicates_of_member import DaysSincePurchase, FirstPurchase, NthPurchase, SpendIs
from services.accrual.domain.rules.predicates_of_receipt import (
    AmountIs,
    BasketSizeIs,
    Bundle,
    ChannelIs,
    Contains,
    HasCoupon,
    PaidBy,
    PartnerIs,
    QuantityIs,
    StoreGroupIs,
    StoreIs,
)
from services.accrual.domain.rules.rule import Rule
from shared.faults import Fault, below

_OF_RECEIPTS = (
    AmountIs,
    BasketSizeIs,
    Bundle,
    ChannelIs,
    Contains,
    HasCoupon,
    PaidBy,
    PartnerIs,
    QuantityIs,
    StoreGroupIs,
    StoreIs,
    FirstPurchase,
    NthPurchase,
    SpendIs,
    DaysSincePurchase,
)
_BOTH = "a rule is about purchases or about member events: make two of it"
_NO_RECEIPT = "a member event is no receipt: only its payload, its time and its member can be asked"


def event_faults(rule: Rule, pointer: str, known: Known) -> Iterator[Fault]:
    """What a rule of events may not say, and what only such a rule may."""
    if not rule.condition.events:
        yield from _faults_of_purchases(rule, pointer)
        return
    at = below(pointer, "condition")
    yield from _type_faults(rule, below(at, "events"), known)
    for field in ("partners", "categories", "lines"):
        if getattr(rule.condition, field):
            yield Fault(below(at, field), _BOTH)
    if rule.rounding_per == "line":
        yield Fault(below(pointer, "rounding_per"), "a member event has no lines: leave it out")
    types = [known.event_types[code] for code in rule.condition.events if code in known.event_types]
    yield from _effect_faults(rule, below(pointer, "effect"), types)
    for place, node in located(rule.condition.when, below(at, "when")):
        if isinstance(node, _OF_RECEIPTS):
            yield Fault(place, _NO_RECEIPT)
        elif isinstance(node, PayloadIs | PayloadNumber):
            for kind in types:
                yield from _payload_faults(node, place, kind)


def _type_faults(rule: Rule, pointer: str, known: Known) -> Iterator[Fault]:
    for at, code in enumerate(rule.condition.events):
        kind = known.event_types.get(code)
        if kind is None:
            yield Fault(below(pointer, at), "there is no such type of member events: declare it, and have it approved")
        elif kind.points is not None:
            yield Fault(below(pointer, at), "this type says itself what it gives: leave points out of its next version")


def _faults_of_purchases(rule: Rule, pointer: str) -> Iterator[Fault]:
    words = "a receipt has no payload: name the types of member events in condition.events"
    if isinstance(rule.effect, PointsPerNumber):
        yield Fault(below(pointer, "effect"), words)
    for place, node in located(rule.condition.when, below(below(pointer, "condition"), "when")):
        if isinstance(node, PayloadIs | PayloadNumber):
            yield Fault(place, words)


def _effect_faults(rule: Rule, pointer: str, types: list[MemberEventDraft]) -> Iterator[Fault]:
    effect = rule.effect
    if isinstance(effect, PointsPerAmount | PointsPerFullStep | PointsPerQuantity):
        words = "a member event has no amounts and no lines: give fixed_points or points_per_number"
        yield Fault(below(pointer, "kind"), words)
    elif isinstance(effect, FixedPoints) and effect.per == "line":
        yield Fault(below(pointer, "per"), "a member event has no lines: leave it out")
    elif isinstance(effect, PointsPerNumber):
        place = below(pointer, "property")
        for kind in types:
            found = kind.payload.properties.get(effect.property)
            if found is None:
                yield Fault(place, _not_declared(kind))
            elif not isinstance(found, WholeProperty):
                yield Fault(place, f"this property is of type {found.type}: points follow from an integer")


def _payload_faults(test: PayloadIs | PayloadNumber, pointer: str, kind: MemberEventDraft) -> Iterator[Fault]:
    found: Property | None = kind.payload.properties.get(test.property)
    if found is None:
        yield Fault(below(pointer, "property"), _not_declared(kind))
        return
    asked_with = "payload_number" if isinstance(found, WholeProperty) else "payload"
    if test.kind != asked_with:
        yield Fault(below(pointer, "kind"), f"this property is of type {found.type}: ask with {asked_with}")
    elif isinstance(test, PayloadIs):
        there: Any = found.enum if isinstance(found, CodeProperty) else ("true", "false")
        for at, value in enumerate(test.values):
            if there is not None and value not in there:
                yield Fault(below(below(pointer, "values"), at), f"should be one of {', '.join(there)}")
    elif isinstance(found, WholeProperty):
        if test.at_least is not None and test.at_least > found.maximum:
            yield Fault(
                below(pointer, "at_least"), f"the property is {found.maximum} at most: nothing could ever match"
            )
        if test.at_most is not None and test.at_most < found.minimum:
            yield Fault(
                below(pointer, "at_most"), f"the property is {found.minimum} at least: nothing could ever match"
            )


def _not_declared(kind: MemberEventDraft) -> str:
    names = ", ".join(sorted(kind.payload.properties)) or "nothing"
    return f"the payload of a type that is named declares {names}, and not this"
