"""Points that nobody could have as a rule says: of types that are not declared, or over before they may be spent."""

from collections.abc import Iterator

from services.accrual.domain.rule_faults.known import Known
from services.accrual.domain.rules import Rule, RuleSetDraft
from services.accrual.domain.rules.expiry import RollingExpiry
from services.accrual.domain.rules.pending import PendingDays, PendingEvent, PendingPolicy, PendingUntilDate
from services.accrual.domain.rules.terms import PartTerms
from shared.faults import Fault, below


def type_faults(rule: Rule, pointer: str, known: Known) -> Iterator[Fault]:
    """A point type that a rule names and the programme has not declared."""
    named = rule.effect.point_type
    if named is None or named in known.other_types:
        return
    place = below(below(pointer, "effect"), "point_type")
    if named == known.own_type:
        yield Fault(place, "leave it out: these are the programme's own points")
    else:
        yield Fault(place, "the programme has no such point type: declare it in TESSERA_OTHER_POINT_TYPES")


def terms_faults(rule_set: RuleSetDraft, known: Known) -> Iterator[Fault]:
    """Waits that are over before the rule set can take effect, and points that are over before they are free."""
    own = rule_set.own_terms
    yield from _day_faults(rule_set.pending, "/pending", known)
    yield from _lasting_faults(own, rule_set, "/pending_days" if rule_set.pending is None else "/pending")
    for at, rule in enumerate(rule_set.rules):
        pointer = below("/rules", at)
        yield from _day_faults(rule.pending, below(pointer, "pending"), known)
        terms = rule_set.terms_of(rule.id)
        if (terms.pending, terms.expiry) != (own.pending, own.expiry):
            yield from _lasting_faults(terms, rule_set, pointer)


def _day_faults(pending: PendingPolicy | None, pointer: str, known: Known) -> Iterator[Fault]:
    if isinstance(pending, PendingUntilDate) and known.earliest is not None and pending.until <= known.earliest:
        yield Fault(
            below(pointer, "until"), "this day has come before the rule set can take effect: nothing would wait"
        )


def _lasting_faults(terms: PartTerms, rule_set: RuleSetDraft, pointer: str) -> Iterator[Fault]:
    """Where both are so many days from the receipt's, what is over first is certain."""
    expiry, pending = terms.expiry, terms.pending
    if rule_set.expiry_counts_from != "earning" or not isinstance(expiry, RollingExpiry):
        return
    if expiry.days is None or expiry.until_end_of is not None:
        return
    if isinstance(pending, PendingDays) and expiry.days <= pending.days:
        yield Fault(pointer, _OVER.format(lasts=expiry.days, waits=pending.days))
    if isinstance(pending, PendingEvent) and pending.at_last == "release" and expiry.days <= pending.days_max:
        yield Fault(pointer, _OVER.format(lasts=expiry.days, waits=pending.days_max))


_OVER = (
    "points would last {lasts} days from the receipt's and wait for up to {waits} of them: let them last longer, or say"
    ' expiry_counts_from "release"'
)
