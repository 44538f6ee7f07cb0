"""How redemption says no: once for the domain's errors, once for declined holds."""

from services.redemption.domain.errors import (
    AlreadyCapturedError,
    ExceedsHoldError,
    FactsBehindError,
    HoldNotOpenError,
    RedemptionIdTakenError,
    UnknownMemberError,
    UnknownRedemptionError,
)
from services.redemption.domain.holding import DeclineReason
from services.redemption.use_cases.hold_points import Declined
from shared.web import Problem

RETRY_AFTER_SECONDS = 5

_ALREADY_CAPTURED = (409, "already-captured", "Already captured")

DOMAIN_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    UnknownMemberError: (404, "unknown-member", "Unknown member"),
    UnknownRedemptionError: (404, "not-found", "Not found"),
    RedemptionIdTakenError: (409, "redemption-id-taken", "Redemption id taken"),
    AlreadyCapturedError: _ALREADY_CAPTURED,
    HoldNotOpenError: (409, "hold-not-open", "Hold not open"),
    ExceedsHoldError: (409, "exceeds-hold", "Exceeds hold"),
}

_DECLINED: dict[DeclineReason, tuple[str, str]] = {
    "insufficient_points": ("insufficient-points", "the member has fewer points to spend: reserve at most `available`"),
    "too_many_lots": ("too-many-lots", "these points lie in too many lots for one hold: reserve fewer"),
    "member_suspended": ("member-suspended", "the member may not spend points now"),
    "member_earn_only": ("member-earn-only", "the member earns points, and may not spend them"),
    "member_spend_locked": ("member-spend-locked", "spending is locked for this member"),
    "member_merged": ("member-merged", "the member was merged into another one: ask again in a moment"),
    "member_closed": ("member-closed", "the member has left the programme"),
    "identifier_blocked": (
        "identifier-blocked",
        "this identifier is blocked, lost or replaced: use another of the member's",
    ),
    "partner_suspended": ("partner-suspended", "points cannot be spent at this partner now"),
    "partner_not_open": ("partner-not-open", "this partner has not opened yet"),
    "partner_left": ("partner-left", "this partner has left the programme, or its last day for spending is over"),
    "partner_does_not_redeem": ("partner-does-not-redeem", "this partner gives points and takes none"),
}


def declined(answer: Declined) -> Problem:
    """A declined hold: nothing is reserved, and the redemption remembers it."""
    slug, detail = _DECLINED[answer.decline.reason]
    extensions: dict[str, object] = {"redemption_id": str(answer.decline.redemption.redemption_id)}
    if answer.available is not None:
        extensions["available"] = answer.available
    return Problem(409, slug, f"Nothing was reserved: {detail}.", extensions=extensions)


def facts_behind(error: FactsBehindError) -> Problem:
    """A large hold while the facts are old: not decided, so that the same request may go a moment later."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, "facts-behind", f"Nothing was reserved: {error}.", headers=headers)


def already_captured() -> Problem:
    """The hold came after the receipt that it was to pay for."""
    status, slug, title = _ALREADY_CAPTURED
    return Problem(status, slug, str(AlreadyCapturedError()), title=title)
