"""What was published, in the words of the paper: what happened, of what, and its figures."""

from shared.events.balances import IssuerPoints
from shared.events.redemptions import (
    PointsGifted,
    RedemptionCaptured,
    RedemptionDeclined,
    RedemptionEvent,
    RedemptionExpired,
    RedemptionHeld,
    RedemptionRefunded,
    RedemptionVoided,
)
from shared.events.rewards import (
    RewardCancelled,
    RewardDelivered,
    RewardExpired,
    RewardIssued,
    RewardReserved,
    RewardReturned,
    RewardUsed,
    VoucherData,
)
from shared.receipt_key import natural_key_of
from tests.support.redemption_names import Names
from tests.support.redemption_paper_holds import Told


def told_of(event: RedemptionEvent, names: Names) -> Told:
    """An event."""
    of = names.redemptions.index
    match event:
        case RedemptionHeld(data=data):
            return ("Held", of(data.redemption_id), data.points)
        case RedemptionDeclined(data=data):
            return ("Declined", of(data.redemption_id), data.points)
        case PointsGifted(data=data):
            return ("Gifted", names.gifts.index(data.gift_id), data.points)
        case RedemptionVoided(data=data):
            return ("Voided", of(data.redemption_id), data.points, data.open_points)
        case RedemptionExpired(data=data):
            return ("Expired", of(data.redemption_id), data.points)
        case RedemptionCaptured(data=data):
            receipt = names.receipt_keys.index(natural_key_of(data.receipt_id))
            figures = (data.points, data.released_points, data.uncovered_points, data.debt_points, data.late_because)
            return ("Captured", of(data.redemption_id), receipt, *figures)
        case RedemptionRefunded(data=data):
            receipt = names.receipt_keys.index(natural_key_of(data.receipt_id))
            return ("Refunded", of(data.redemption_id), receipt, data.points, data.debt_points)
        case _:
            return _told_of_voucher(event, names)


def _told_of_voucher(event: RedemptionEvent, names: Names) -> Told:
    match event:
        case RewardReserved(data=data) | RewardIssued(data=data):
            return _of_voucher(event, data, names, data.balance.available)
        case RewardDelivered(data=data):
            return _of_voucher(event, data, names)
        case RewardUsed(data=data):
            receipt = names.receipt_of(natural_key_of(data.receipt_id))
            return _of_voucher(event, data, names, data.balance.available, receipt, _by_issuer(data.by_issuer))
        case RewardCancelled(data=data) | RewardExpired(data=data):
            back = (data.debt_cleared, data.paid_minor, data.reason)
            return _of_voucher(event, data, names, data.balance.available, *back)
        case RewardReturned(data=data):
            receipt = names.receipt_of(natural_key_of(data.receipt_id))
            figures = (receipt, data.debt_cleared, data.paid_minor, _by_issuer(data.by_issuer))
            return _of_voucher(event, data, names, data.balance.available, *figures)
        case _:
            raise AssertionError(f"nobody asked for this: {event}")


def _of_voucher(event: RedemptionEvent, data: VoucherData, names: Names, *figures: object) -> Told:
    return (type(event).__name__, names.vouchers.index(data.voucher_id), data.points, *figures)


def _by_issuer(told: tuple[IssuerPoints, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((one.issuer, one.points) for one in told)
