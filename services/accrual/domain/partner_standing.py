"""What a partner's state and kind do to its receipts. The table is the README's, word for word.

A receipt is judged by where its partner stood when it occurred: one that a till kept while it was offline, or that was
parked for its card, counts as it would have counted then.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Literal, NamedTuple, TypeAlias

from shared.events.coalition import PartnerKind, PartnerState

Permit: TypeAlias = Literal["yes", "no", "until_its_day"]
Reason: TypeAlias = Literal[
    "partner_preparing",
    "partner_testing",
    "partner_suspended",
    "partner_leaving",
    "partner_left",
    "partner_does_not_issue",
]


class Effects(NamedTuple):
    """What happens to receipts: whether the door takes them, purchases earn, and returns take back."""

    takes: bool
    earns: Permit
    takes_back: Permit
    reason: Reason | None


BY_STATE: Mapping[PartnerState, Effects] = {
    "preparing": Effects(takes=False, earns="no", takes_back="no", reason="partner_preparing"),
    "testing": Effects(takes=True, earns="no", takes_back="no", reason="partner_testing"),
    "active": Effects(takes=True, earns="yes", takes_back="yes", reason=None),
    "suspended_earning": Effects(takes=True, earns="no", takes_back="yes", reason="partner_suspended"),
    "suspended_spending": Effects(takes=True, earns="yes", takes_back="yes", reason=None),
    "suspended": Effects(takes=True, earns="no", takes_back="yes", reason="partner_suspended"),
    "leaving": Effects(takes=True, earns="until_its_day", takes_back="until_its_day", reason="partner_leaving"),
    "left": Effects(takes=False, earns="no", takes_back="no", reason="partner_left"),
}

# A redeeming partner's receipts are taken, since they may be paid with points; they earn nothing.
ISSUES: Mapping[PartnerKind, bool] = {"issuing": True, "redeeming": False, "both": True, "co_brand_bank": True}


class Standing(NamedTuple):
    """One version of where a partner stands, as coalition published it."""

    version: int
    kind: PartnerKind
    state: PartnerState
    in_force_from: datetime
    last_earn_on: date | None = None
    returns_until: date | None = None


def standing_at(history: Sequence[Standing], moment: datetime) -> Standing | None:
    """The standing in force at ``moment``: of those that count by then the newest, else the first there was.

    None where nothing is known of the partner: then its tills are not known either, and the receipt waits for them.
    """
    if len(history) == 1:  # as nearly always
        return history[0]
    begun = [standing for standing in history if standing.in_force_from <= moment]
    if begun:
        return max(begun)
    return min(history, default=None)


def why_not_taken(standing: Standing | None) -> Reason | None:
    """Why the door takes no receipt of a partner who stands so; None where it does."""
    effects = BY_STATE[standing.state] if standing is not None else None
    return effects.reason if effects is not None and not effects.takes else None


def why_not_earned(standing: Standing | None, occurred_at: datetime, zone: tzinfo) -> Reason | None:
    """Why a purchase earns nothing; None where it earns."""
    if standing is None:
        return None
    effects = BY_STATE[standing.state]
    if not _is_permitted(effects.earns, standing.last_earn_on, occurred_at, zone):
        return effects.reason
    return None if ISSUES[standing.kind] else "partner_does_not_issue"


def why_not_taken_back(standing: Standing | None, occurred_at: datetime, zone: tzinfo) -> Reason | None:
    """Why a return takes nothing back; None where it does."""
    if standing is None:
        return None
    effects = BY_STATE[standing.state]
    return None if _is_permitted(effects.takes_back, standing.returns_until, occurred_at, zone) else effects.reason


def _is_permitted(permit: Permit, last_day: date | None, occurred_at: datetime, zone: tzinfo) -> bool:
    if permit == "until_its_day":
        return last_day is not None and occurred_at.astimezone(zone).date() <= last_day
    return permit == "yes"
