"""How redemption says no to a gift."""

from collections.abc import Mapping

from services.redemption.api.refusals import RETRY_AFTER_SECONDS, when_to_ask_again
from services.redemption.domain.errors import FactsBehindError
from services.redemption.domain.gifting import GiftReason, GiftRefusedError, MergeUnderWayError
from shared.web import Problem

_REFUSED: Mapping[GiftReason, tuple[str, str]] = {
    "same_member": ("same-member", "giver and receiver are the same member: name another receiver"),
    "identifier_blocked": (
        "identifier-blocked",
        "the receiver's identifier is blocked, lost or replaced: use another of the receiver's",
    ),
    "insufficient_points": ("insufficient-points", "the giver has fewer points: give at most `points_max`"),
    "debt_outstanding": ("debt-outstanding", "the giver owes points, and gives none until that is cleared"),
    "member_suspended": ("member-suspended", "the giver may not spend points now"),
    "member_earn_only": ("member-earn-only", "the giver earns points, and may not spend them"),
    "member_spend_locked": ("member-spend-locked", "spending is locked for the giver"),
    "member_merged": ("member-merged", "the giver was merged into another member: ask again in a moment"),
    "member_closed": ("member-closed", "the giver has left the programme"),
    "receiver_suspended": ("receiver-suspended", "the receiver may get no points now"),
    "receiver_merged": ("receiver-merged", "the receiver was merged into another member: ask again in a moment"),
    "receiver_closed": ("receiver-closed", "the receiver has left the programme"),
    "gift_too_large": ("gift-too-large", "a gift is smaller in this programme: give at most `points_max`"),
    "gifts_of_day_exceeded": (
        "gifts-of-day-exceeded",
        "the giver may give no more than `points_max` today: give fewer, or tomorrow",
    ),
    "gifts_of_month_exceeded": (
        "gifts-of-month-exceeded",
        "the giver may give no more than `points_max` this month: give fewer, or next month",
    ),
}


def refused(error: GiftRefusedError) -> Problem:
    """A gift that is not given: nothing was changed, and its id is free."""
    slug, detail = _REFUSED[error.reason]
    extensions: dict[str, object] = {} if error.points_max is None else {"points_max": error.points_max}
    headers = when_to_ask_again(error.reason)
    return Problem(409, slug, f"Nothing was given: {detail}.", headers=headers, extensions=extensions)


def ask_again(error: FactsBehindError | MergeUnderWayError) -> Problem:
    """Not decided while what is known of members is old, so that the same request may go a moment later."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, "facts-behind", f"Nothing was given: {error}.", headers=headers)
