"""How long points wait and last, in plain words."""

from calendar import month_name
from typing import assert_never

from services.accrual.domain.rules.expiry import CalendarExpiry, NeverExpires, RollingExpiry
from services.accrual.domain.rules.pending import PendingDays, PendingEvent, PendingUntilDate
from services.accrual.domain.rules.terms import PartTerms


def own_terms_in_words(terms: PartTerms, own: PartTerms, expiry_counts_from: str) -> str:
    """What a rule's points have that others do not, to be said after what it gave; empty where there is nothing."""
    said = []
    if terms.pending != own.pending:
        said.append(waiting_in_words(terms.pending))
    if terms.expiry != own.expiry:
        said.append(lasting_in_words(terms, expiry_counts_from))
    return "" if not said else f"; they {' and '.join(said)}"


def waiting_in_words(pending: PendingDays | PendingUntilDate | PendingEvent | None) -> str:
    """What points wait for."""
    match pending:
        case None:
            return "wait for nothing"
        case PendingDays(days=days):
            return f"wait for {_number(days, 'day')}"
        case PendingUntilDate(until=until):
            return f"wait until {until.isoformat()}"
        case PendingEvent(event=event, days_max=days, at_last=at_last):
            then = "lapse" if at_last == "lapse" else "are free"
            return f"wait for “{event}”, and {then} after {_number(days, 'day')} without it"
        case _:
            assert_never(pending)


def lasting_in_words(terms: PartTerms, expiry_counts_from: str) -> str:
    """How long points last."""
    since = " from their release" if terms.pending is not None and expiry_counts_from == "release" else ""
    match terms.expiry:
        case None | NeverExpires():
            return "last for ever"
        case RollingExpiry(days=days, months=months, until_end_of=unit):
            lasting = _number(days, "day") if days is not None else _number(months or 0, "month")
            return f"last {lasting}{since}" + ("" if unit is None else f", to the end of that {unit}")
        case CalendarExpiry(month=month, day=day, days_min=least):
            at_least = f", {_number(least, 'day')} at least{since}" if least else ""
            return f"last to {day} {month_name[month]}{at_least}"
        case _:
            assert_never(terms.expiry)


def _number(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
