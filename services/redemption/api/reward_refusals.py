"""How redemption says no about rewards and vouchers."""

from collections.abc import Mapping

from services.redemption.api.refusals import RETRY_AFTER_SECONDS, when_to_ask_again
from services.redemption.credentials.voucher_codes import NoVoucherKeysError
from services.redemption.domain.errors import FactsBehindError
from services.redemption.domain.gifting import MergeUnderWayError
from services.redemption.domain.rewards.entitlement import RewardReason, RewardRefusedError
from services.redemption.domain.rewards.errors import (
    MistypedCodeError,
    NoPiecesError,
    NotImportedError,
    OtherAmountError,
    OtherPartnersVoucherError,
    OtherStoreError,
    RewardExistsError,
    SupplyFixedError,
    UnknownRewardError,
    UnknownVoucherError,
    VoucherCancelledError,
    VoucherExpiredError,
    VoucherIdTakenError,
    VoucherReservedError,
    VoucherReturnedError,
    VoucherUsedError,
)
from shared.sealing import SealBrokenError
from shared.web import Problem

REWARD_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    UnknownRewardError: (404, "unknown-reward", "Unknown reward"),
    UnknownVoucherError: (404, "unknown-voucher", "Unknown voucher"),
    RewardExistsError: (409, "reward-exists", "Reward exists"),
    SupplyFixedError: (409, "reward-supply-fixed", "Reward supply fixed"),
    NoPiecesError: (409, "reward-not-limited", "Reward not limited"),
    VoucherIdTakenError: (409, "voucher-id-taken", "Voucher id taken"),
    VoucherCancelledError: (409, "voucher-cancelled", "Voucher cancelled"),
    VoucherReturnedError: (409, "voucher-returned", "Voucher returned"),
    VoucherReservedError: (409, "voucher-reserved", "Voucher reserved"),
    OtherAmountError: (409, "other-amount", "Other amount"),
    NotImportedError: (409, "codes-not-imported", "Codes not imported"),
    VoucherUsedError: (409, "voucher-used", "Voucher used"),
    OtherPartnersVoucherError: (409, "other-partners-voucher", "Other partner's voucher"),
    OtherStoreError: (409, "other-stores-voucher", "Other stores' voucher"),
    MistypedCodeError: (404, "voucher-code-mistyped", "Voucher code mistyped"),
    VoucherExpiredError: (409, "voucher-expired", "Voucher expired"),
    NoVoucherKeysError: (409, "vouchers-not-set-up", "Vouchers not set up"),
    SealBrokenError: (409, "code-not-available", "Code not available"),
}

_REFUSED: Mapping[RewardReason, tuple[str, str]] = {
    "reward_withdrawn": ("reward-withdrawn", "this reward is not to be had any more"),
    "reward_not_offered_yet": ("reward-not-offered-yet", "this reward is to be had from `offered_from` on"),
    "reward_not_offered_any_more": ("reward-not-offered-any-more", "the time of this reward is over"),
    "tier_not_entitled": ("tier-not-entitled", "this reward is for members of these `tiers`"),
    "reward_limit_reached": (
        "reward-limit-reached",
        "the member has had `per_member_max` of this reward, in the last `per_member_days` days where that is said",
    ),
    "sold_out": ("sold-out", "no piece of this reward is left"),
    "insufficient_points": ("insufficient-points", "the member has fewer points to spend on it: see `available`"),
    "too_many_lots": ("too-many-lots", "the member's points lie in too many lots for so high a price"),
    "debt_outstanding": ("debt-outstanding", "the member owes points, and spends none until that is cleared"),
    "member_suspended": ("member-suspended", "the member may not spend points now"),
    "member_earn_only": ("member-earn-only", "the member earns points, and may not spend them"),
    "member_spend_locked": ("member-spend-locked", "spending is locked for this member"),
    "member_merged": ("member-merged", "the member was merged into another one: ask again in a moment"),
    "member_closed": ("member-closed", "the member has left the programme"),
    "partner_suspended": ("partner-suspended", "points cannot be spent at this reward's partner now"),
    "partner_not_open": ("partner-not-open", "this reward's partner has not opened yet"),
    "partner_left": ("partner-left", "this reward's partner has left the programme"),
    "partner_does_not_redeem": ("partner-does-not-redeem", "this reward's partner gives points and takes none"),
    "no_contract_in_force": ("no-contract-in-force", "no contract of this reward's partner is in force now"),
    "type_not_in_contract": (
        "type-not-in-contract",
        "the contract of this reward's partner has no price for points of this type",
    ),
    "partner_funds_exhausted": (
        "partner-funds-exhausted",
        "what the contract of this reward's partner allows is used up",
    ),
}


def refused(error: RewardRefusedError) -> Problem:
    """A reward that is not given: nothing was changed, and the voucher's id is free."""
    slug, detail = _REFUSED[error.reason]
    headers = when_to_ask_again(error.reason)
    return Problem(409, slug, f"Nothing was issued: {detail}.", headers=headers, extensions=dict(error.details))


def ask_again(error: FactsBehindError | MergeUnderWayError) -> Problem:
    """Not decided while what is known of members is old, so that the same request may go a moment later."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, "facts-behind", f"Nothing was issued: {error}.", headers=headers)
