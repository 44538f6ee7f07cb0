"""How redemption says no: once for the domain's errors, once for declined holds."""

from services.redemption.api.spend_gate import GATE_PROBLEMS
from services.redemption.domain.errors import (
    AlreadyCapturedError,
    ExceedsHoldError,
    FactsBehindError,
    GoodsUnknownNowError,
    HoldNotOpenError,
    IdentifierRevokedError,
    MayNotSeeBalanceError,
    NotQuotedError,
    NotShownError,
    OtherMembersCodeError,
    OtherSessionError,
    PointsMovedOnError,
    PriceChangedError,
    QuoteNeededError,
    ReceiptNotKeptError,
    ReceiptUnreadError,
    ReceiptVoidedError,
    RedemptionIdTakenError,
    UnknownMemberError,
    UnknownQuoteError,
    UnknownReceiptError,
    UnknownRedemptionError,
)
from services.redemption.domain.gifting import GiftIdTakenError, UnknownReceiverError
from services.redemption.domain.holding import DeclineReason
from services.redemption.domain.privileges.entitlement import NoneReason
from services.redemption.domain.privileges.life import (
    NotAnOfferError,
    OwnPrivilegeError,
    PrivilegeIdTakenError,
    PrivilegeStateError,
    UnknownPrivilegeError,
)
from services.redemption.use_cases.hold_points import Declined
from services.redemption.use_cases.reserve_privileges import NotEntitledError, NoUsesLeftError
from shared.identifier_capabilities import Capability
from shared.point_types import PointTypes
from shared.qr_tokens import InvalidQrTokenError
from shared.rule_sets.routes import RULE_SET_PROBLEMS
from shared.web import Problem, invalid_field

RETRY_AFTER_SECONDS = 5

# Refused until the registry's word has come: asked again a moment later, under whatever key, it may go.
_PASSING = frozenset({"member_merged", "receiver_merged"})

_ALREADY_CAPTURED = (409, "already-captured", "Already captured")

DOMAIN_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    UnknownMemberError: (404, "unknown-member", "Unknown member"),
    UnknownRedemptionError: (404, "not-found", "Not found"),
    RedemptionIdTakenError: (409, "redemption-id-taken", "Redemption id taken"),
    AlreadyCapturedError: _ALREADY_CAPTURED,
    HoldNotOpenError: (409, "hold-not-open", "Hold not open"),
    IdentifierRevokedError: (409, "identifier-blocked", "Identifier blocked"),
    InvalidQrTokenError: (409, "qr-token-not-valid", "QR token not valid"),
    MayNotSeeBalanceError: (403, "identifier-may-not-see-balance", "Identifier may not see balance"),
    NotShownError: (404, "not-found", "Not found"),
    OtherMembersCodeError: (409, "other-members-code", "Other member's code"),
    NotQuotedError: (409, "not-quoted", "Not quoted"),
    OtherSessionError: (409, "other-session", "Other session"),
    QuoteNeededError: (409, "quote-needed", "Quote needed"),
    UnknownQuoteError: (409, "unknown-quote", "Unknown quote"),
    **RULE_SET_PROBLEMS,
    UnknownReceiptError: (404, "unknown-receipt", "Unknown receipt"),
    ReceiptNotKeptError: (409, "receipt-not-kept", "Receipt not kept"),
    PointsMovedOnError: (409, "points-moved-on", "Points moved on"),
    ReceiptUnreadError: (409, "receipt-not-read-yet", "Receipt not read yet"),
    ReceiptVoidedError: (409, "receipt-voided", "Receipt voided"),
    ExceedsHoldError: (409, "exceeds-hold", "Exceeds hold"),
    UnknownReceiverError: (404, "unknown-receiver", "Unknown receiver"),
    GiftIdTakenError: (409, "gift-id-taken", "Gift id taken"),
    UnknownPrivilegeError: (404, "not-found", "Not found"),
    PrivilegeIdTakenError: (409, "privilege-id-taken", "Privilege id taken"),
    OwnPrivilegeError: (403, "own-privilege", "Own privilege"),
    PrivilegeStateError: (409, "privilege-state", "Privilege state"),
    NotEntitledError: (409, "not-entitled", "Not entitled"),
    NoUsesLeftError: (409, "no-uses-left", "No uses left"),
    NotAnOfferError: (409, "not-an-offer", "Not an offer"),
    **GATE_PROBLEMS,
}

_DECLINED: dict[DeclineReason, tuple[str, str]] = {
    "insufficient_points": ("insufficient-points", "the member has fewer points to spend: reserve at most `available`"),
    "too_many_lots": ("too-many-lots", "these points lie in too many lots for one hold: reserve fewer"),
    "debt_outstanding": ("debt-outstanding", "the member owes points, and spends none until that is cleared"),
    "member_suspended": ("member-suspended", "the member may not spend points now"),
    "member_earn_only": ("member-earn-only", "the member earns points, and may not spend them"),
    "member_spend_locked": ("member-spend-locked", "spending is locked for this member"),
    "member_merged": ("member-merged", "the member was merged into another one: ask again in a moment"),
    "member_closed": ("member-closed", "the member has left the programme"),
    "identifier_may_not_spend": (
        "identifier-may-not-spend",
        "this identifier, entered this way, spends no points: ask for a card or a QR token",
    ),
    "identifier_spends_less": (
        "identifier-spends-less",
        "this identifier, entered this way, spends at most `spend_points_max` at once: ask for another one",
    ),
    "code_needed": ("code-needed", "this identifier spends points only with a code: have the member show a QR token"),
    "session_spent": (
        "session-spent",
        "points were reserved with this QR token before: have a new one shown",
    ),
    "identifier_blocked": (
        "identifier-blocked",
        "this identifier is blocked, lost or replaced: use another of the member's",
    ),
    "partner_suspended": ("partner-suspended", "points cannot be spent at this partner now"),
    "partner_not_open": ("partner-not-open", "this partner has not opened yet"),
    "partner_left": ("partner-left", "this partner has left the programme, or its last day for spending is over"),
    "partner_funds_exhausted": ("partner-funds-exhausted", "what this partner's contract allows is used up"),
    "no_contract_in_force": ("no-contract-in-force", "no contract of this partner is in force now"),
    "below_minimum": ("below-minimum", "this partner takes more points at a time: see its contract"),
    "not_in_steps": ("not-in-steps", "this partner takes points in whole steps: see its contract"),
    "type_not_in_contract": (
        "type-not-in-contract",
        "this partner's contract has no price for points of this type: ask for another one",
    ),
    "partner_does_not_redeem": ("partner-does-not-redeem", "this partner gives points and takes none"),
}

_BY_CAPABILITY = frozenset({"identifier_may_not_spend", "identifier_spends_less", "code_needed"})


def not_spending(reason: DeclineReason, capability: Capability | None, capabilities_version: int) -> Problem:
    """Why a member spends nothing at all there now, as a hold would say it."""
    slug, detail = _DECLINED[reason]
    extensions: dict[str, object] = {}
    if capability is not None and reason in _BY_CAPABILITY:
        extensions["capabilities_version"] = capabilities_version
        extensions["spend_points_max"] = capability.spend_points_max
    headers = when_to_ask_again(reason)
    return Problem(409, slug, f"Nothing can be spent: {detail}.", headers=headers, extensions=extensions)


_NO_PRIVILEGES: dict[NoneReason, tuple[str, str]] = {
    "member_suspended": ("member-suspended", "the member is suspended"),
    "member_earn_only": ("member-earn-only", "the member earns points alone"),
    "member_spend_locked": ("member-spend-locked", "spending is locked for this member"),
    "member_merged": ("member-merged", "the member was merged into another one: ask again in a moment"),
    "member_closed": ("member-closed", "the member has left the programme"),
    "partner_not_open": ("partner-not-open", "this partner has not opened yet"),
    "partner_suspended": ("partner-suspended", "this partner is suspended now"),
    "partner_left": ("partner-left", "this partner has left the programme"),
}


def no_privileges(reason: NoneReason) -> Problem:
    """Why a member has no privileges at all there now."""
    slug, detail = _NO_PRIVILEGES[reason]
    return Problem(409, slug, f"No privileges are given: {detail}.", headers=when_to_ask_again(reason))


def declined(answer: Declined, capability: Capability | None, capabilities_version: int) -> Problem:
    """A declined hold: nothing is reserved, and the redemption remembers it.

    Where the table of capabilities refused it, the answer says which version of it, and how much the identifier spends.
    """
    slug, detail = _DECLINED[answer.decline.reason]
    extensions: dict[str, object] = {"redemption_id": str(answer.decline.redemption.redemption_id)}
    if answer.available is not None:
        extensions["available"] = answer.available
    if capability is not None and answer.decline.reason in _BY_CAPABILITY:
        extensions["capabilities_version"] = capabilities_version
        extensions["spend_points_max"] = capability.spend_points_max
    headers = when_to_ask_again(answer.decline.reason)
    return Problem(409, slug, f"Nothing was reserved: {detail}.", headers=headers, extensions=extensions)


def when_to_ask_again(reason: str) -> dict[str, str]:
    """The headers of a refusal: of one that passes when to ask again, which keeps it from being the key's answer."""
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if reason in _PASSING else {}


def not_told_of_yet(pointer: str, detail: str) -> Problem:
    """A field that names what the coalition may tell of any moment."""
    problem = invalid_field(pointer, detail)
    problem.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return problem


def facts_behind(error: FactsBehindError) -> Problem:
    """A large hold while the facts are old: not decided, so that the same request may go a moment later."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, "facts-behind", f"Nothing was reserved: {error}.", headers=headers)


def goods_unknown_now(error: GoodsUnknownNowError) -> Problem:
    """A quote of a return for which accrual would have to answer: the same may be asked a moment later."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, "goods-unknown-now", f"Nothing was quoted: {error}.", headers=headers)


def price_changed(error: PriceChangedError) -> Problem:
    """A hold by a quote whose price is another one now: why, and what the points paid then and pay now."""
    extensions = {
        "points": error.points,
        "quoted_value_minor": error.quoted_value_minor,
        "points_now": error.points_now,
        "value_minor_now": error.value_minor_now,
        "because": "price_floor" if error.is_by_floor else "expired",
    }
    return Problem(409, "price-changed", f"Nothing was reserved: {error}.", extensions=extensions)


def already_captured() -> Problem:
    """The hold came after the receipt that it was to pay for."""
    status, slug, title = _ALREADY_CAPTURED
    return Problem(status, slug, str(AlreadyCapturedError()), title=title)


def require_spent(point_type: str | None, types: PointTypes) -> None:
    """Points of types that only count are never held and spent.

    Raises:
        Problem: the type only counts (409), or there is none (422).
    """
    if point_type is None or types.is_spent(point_type):
        return
    if point_type not in types.status_codes:
        raise invalid_field("/point_type", "the programme has no such point type")
    detail = (
        f"Points of the type {point_type} only count, and are never spent: ask for {' or '.join(types.spent_codes)}."
    )
    raise Problem(409, "status-points", detail, title="Status points")
