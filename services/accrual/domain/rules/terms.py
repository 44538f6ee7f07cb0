"""What points of a receipt have in common: their type, how long they wait, and how long they last."""

from typing import NamedTuple

from services.accrual.domain.rules.expiry import CalendarExpiry, NeverExpires, RollingExpiry
from services.accrual.domain.rules.pending import PendingDays, PendingEvent, PendingUntilDate
from services.accrual.domain.rules.rule import Rule


class PartTerms(NamedTuple):
    """``point_type`` None: the programme's own. ``pending`` None: to be spent at once; ``expiry`` None: for ever."""

    point_type: str | None
    pending: PendingDays | PendingUntilDate | PendingEvent | None
    expiry: NeverExpires | RollingExpiry | CalendarExpiry | None


def pending_said(
    pending: PendingDays | PendingUntilDate | PendingEvent | None, days: int | None
) -> PendingDays | PendingUntilDate | PendingEvent | None:
    """A wait as it is said at length or in short; 0 days are none."""
    return PendingDays(days=days) if days else pending


def expiry_said(
    expiry: NeverExpires | RollingExpiry | CalendarExpiry | None, days: int | None
) -> NeverExpires | RollingExpiry | CalendarExpiry | None:
    """An expiry as it is said at length or in short."""
    return RollingExpiry(days=days) if days else expiry


def terms_said(rule: Rule, own: PartTerms) -> PartTerms:
    """What a rule gives its points on; ``own`` is what holds where it says nothing."""
    says_pending = rule.pending is not None or rule.pending_days is not None
    says_expiry = rule.expiry is not None or rule.expires_after_days is not None
    return PartTerms(
        rule.effect.point_type,
        pending_said(rule.pending, rule.pending_days) if says_pending else own.pending,
        expiry_said(rule.expiry, rule.expires_after_days) if says_expiry else own.expiry,
    )
