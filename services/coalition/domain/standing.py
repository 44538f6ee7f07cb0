"""Where a partner stands in the coalition: its kind, its state, and which changes of them there can be."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import get_args

from services.coalition.domain.errors import (
    LeavingDatesError,
    PublishedTooLateError,
    StateChangeError,
)
from shared.events.coalition import PartnerKind, PartnerState

# Every worker knows of a change within this time: what opens is published so long before, and no receipt that it
# lets in is refused by one who has not heard of it.
PUBLISHED_BEFORE = timedelta(seconds=60)

_WHILE_SERVING: frozenset[PartnerState] = frozenset(
    {"active", "suspended_earning", "suspended_spending", "suspended", "leaving"}
)

# A state may always be declared anew, with other dates. Who has left comes back as a new partner.
CHANGES: dict[PartnerState, frozenset[PartnerState]] = {
    "preparing": frozenset({"preparing", "testing", "active", "left"}),
    "testing": frozenset({"testing", "preparing", "active", "left"}),
    "active": _WHILE_SERVING,
    "suspended_earning": _WHILE_SERVING,
    "suspended_spending": _WHILE_SERVING,
    "suspended": _WHILE_SERVING,
    "leaving": _WHILE_SERVING | {"left"},
    "left": frozenset(),
}

_CLOSE_ALL: frozenset[PartnerState] = frozenset({"suspended", "left"})
_EARN: frozenset[PartnerState] = frozenset({"active", "suspended_spending", "leaving"})
_SPEND: frozenset[PartnerState] = frozenset({"active", "suspended_earning", "leaving"})
_TAKE_RECEIPTS: frozenset[PartnerState] = frozenset(get_args(PartnerState)) - {"preparing", "left"}
_ISSUE: frozenset[PartnerKind] = frozenset({"issuing", "both", "co_brand_bank"})
_REDEEM: frozenset[PartnerKind] = frozenset({"redeeming", "both"})


@dataclass(frozen=True, slots=True)
class Standing:
    """Kind and state from ``in_force_from`` on. The three days are there exactly while the partner is leaving."""

    kind: PartnerKind
    state: PartnerState
    in_force_from: datetime
    reason_code: str
    last_earn_on: date | None = None
    last_spend_on: date | None = None
    returns_until: date | None = None


def change_standing(
    present: Standing, wanted: Standing, *, starts_at: datetime | None, today: date, now: datetime
) -> Standing:
    """The standing as it will be. ``starts_at`` None: as soon as may be.

    What only closes may take effect at once; what opens anything is published ``PUBLISHED_BEFORE`` earlier. So is what
    replaces a standing that does not count yet, unless it closes everything: it may open more than what counts until
    then.

    Raises:
        StateChangeError: no way leads from the one state to the other.
        LeavingDatesError: days are missing, too many, in the wrong order, or not over yet.
        PublishedTooLateError: it would take effect before everybody knows.
    """
    if wanted.state not in CHANGES[present.state]:
        possible = ", ".join(sorted(CHANGES[present.state])) or "none: register it anew"
        raise StateChangeError(f"a partner that is {present.state} cannot become {wanted.state}; possible: {possible}")
    _check_days(wanted)
    if wanted.state == "left" and present.state == "leaving":
        last = max(day for day in (present.last_earn_on, present.last_spend_on, present.returns_until) if day)
        if today <= last:
            raise LeavingDatesError(f"the partner has agreed to serve members until {last}: change the days first")
    is_ahead = present.in_force_from > now and wanted.state not in _CLOSE_ALL
    earliest = now + PUBLISHED_BEFORE if is_ahead or opens(present, wanted) else now
    if starts_at is not None and starts_at < earliest:
        raise PublishedTooLateError(
            f"in_force_from must be {int(PUBLISHED_BEFORE.total_seconds())} s ahead for a change that opens anything, "
            "and not in the past for one that closes: leave it out for as soon as may be"
        )
    return Standing(
        kind=wanted.kind,
        state=wanted.state,
        in_force_from=starts_at or earliest,
        reason_code=wanted.reason_code,
        last_earn_on=wanted.last_earn_on,
        last_spend_on=wanted.last_spend_on,
        returns_until=wanted.returns_until,
    )


def opens(present: Standing, wanted: Standing) -> bool:
    """Whether the change allows anything that was not allowed before."""
    return (
        (_earns(wanted) and not _earns(present))
        or (_spends(wanted) and not _spends(present))
        or (wanted.state in _TAKE_RECEIPTS and present.state not in _TAKE_RECEIPTS)
        # Who was leaving had days, which may be over: all but these two may allow more than what is left of them.
        or (present.state == "leaving" and wanted.state not in _CLOSE_ALL)
    )


def _earns(standing: Standing) -> bool:
    return standing.state in _EARN and standing.kind in _ISSUE


def _spends(standing: Standing) -> bool:
    return standing.state in _SPEND and standing.kind in _REDEEM


def _check_days(wanted: Standing) -> None:
    days = (wanted.last_earn_on, wanted.last_spend_on, wanted.returns_until)
    if wanted.state != "leaving":
        if any(day is not None for day in days):
            raise LeavingDatesError("last_earn_on, last_spend_on and returns_until belong to the state leaving alone")
        return
    if wanted.last_earn_on is None or wanted.last_spend_on is None or wanted.returns_until is None:
        raise LeavingDatesError("who is leaving says last_earn_on, last_spend_on and returns_until")
    if wanted.returns_until < wanted.last_earn_on:
        raise LeavingDatesError("returns_until lies before last_earn_on: what earned last could not be brought back")
