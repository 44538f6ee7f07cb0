"""The events that tell of rewards. None of them says a code."""

from typing import Any, TypeAlias

from services.redemption.domain.rewards.reward import RewardTerms
from services.redemption.domain.rewards.voucher import Voucher
from services.redemption.use_cases.messages import balance_of, envelope
from shared.database import Transaction
from shared.events.balances import IssuerPoints
from shared.events.catalogue import REDEMPTIONS
from shared.events.rewards import (
    ClosedRewardData,
    DeliveredRewardData,
    IssuedRewardData,
    ReturnedRewardData,
    RewardCancelled,
    RewardDelivered,
    RewardExpired,
    RewardIssued,
    RewardReserved,
    RewardReturned,
    RewardUsed,
    UsedRewardData,
)
from shared.ledger import Balances, Posted
from shared.ledger.telling import funded_told
from shared.outbox import Message
from shared.receipt_key import receipt_id_of
from shared.telemetry.trace_context import current_traceparent

RewardEvent: TypeAlias = (
    RewardReserved | RewardIssued | RewardDelivered | RewardUsed | RewardCancelled | RewardExpired | RewardReturned
)


def issued_message(transaction: Transaction, voucher: Voucher, terms: RewardTerms, balance: Balances) -> Message:
    """A member has a reward: its points are reserved."""
    event = RewardIssued(
        **envelope(transaction, voucher.voucher_id, current_traceparent()),
        data=_standing(voucher, terms, balance),
    )
    return _message(event, voucher)


def reserved_message(transaction: Transaction, voucher: Voucher, terms: RewardTerms, balance: Balances) -> Message:
    """A reward is kept for a member: its points are reserved."""
    event = RewardReserved(
        **envelope(transaction, voucher.voucher_id, current_traceparent()),
        data=_standing(voucher, terms, balance),
    )
    return _message(event, voucher)


def delivered_message(transaction: Transaction, voucher: Voucher) -> Message:
    """A member has a voucher's code."""
    if voucher.channel is None:
        raise AssertionError("unreachable: it was delivered somehow")
    event = RewardDelivered(
        **envelope(transaction, voucher.voucher_id, current_traceparent()),
        data=DeliveredRewardData(
            **_named(voucher),
            points=voucher.points,
            channel=voucher.channel,
        ),
    )
    return _message(event, voucher)


def used_message(transaction: Transaction, voucher: Voucher, terms: RewardTerms, spent: Posted) -> Message:
    """A till took a voucher: its points are spent."""
    if voucher.receipt_key is None:
        raise AssertionError("unreachable: it was used for a receipt")
    event = RewardUsed(
        **envelope(transaction, voucher.voucher_id, current_traceparent()),
        data=UsedRewardData(
            **_named(voucher),
            points=spent.points,
            receipt_id=receipt_id_of(voucher.receipt_key),
            cost_minor=terms.cost_minor,
            by_issuer=tuple(IssuerPoints(issuer=issuer, points=points) for issuer, points in spent.issuers),
            by_funding=funded_told(spent.funded),
            balance=balance_of(spent.balance),
        ),
    )
    return _message(event, voucher)


def cancelled_message(transaction: Transaction, voucher: Voucher, given: Posted) -> Message:
    """Somebody cancelled a voucher: its points went back to their lots."""
    event = RewardCancelled(
        **envelope(transaction, voucher.voucher_id, current_traceparent()),
        data=_closed(voucher, given),
    )
    return _message(event, voucher)


def expired_message(transaction: Transaction, voucher: Voucher, given: Posted) -> Message:
    """A voucher's time was over: its points went back to their lots."""
    event = RewardExpired(
        # Nobody asked: an expiry starts a trace of its own.
        **envelope(transaction, voucher.voucher_id, None),
        data=_closed(voucher, given),
    )
    return _message(event, voucher)


def returned_message(transaction: Transaction, voucher: Voucher, given: Posted, traceparent: str | None) -> Message:
    """The receipt that had used a voucher was voided: its points went back to their lots."""
    if voucher.receipt_key is None or voucher.undone_by is None or voucher.closed_at is None:
        raise AssertionError("unreachable: it was used for a receipt, which was undone")
    event = RewardReturned(
        **envelope(transaction, voucher.voucher_id, traceparent),
        data=ReturnedRewardData(
            **_named(voucher),
            points=given.points,
            receipt_id=receipt_id_of(voucher.receipt_key),
            undone_by=receipt_id_of(voucher.undone_by),
            used_at=voucher.closed_at,
            debt_cleared=given.debt_cleared,
            paid_minor=voucher.paid_minor,
            by_issuer=tuple(IssuerPoints(issuer=issuer, points=points) for issuer, points in given.issuers),
            by_funding=funded_told(given.funded),
            balance=balance_of(given.balance),
        ),
    )
    return _message(event, voucher)


def _standing(voucher: Voucher, terms: RewardTerms, balance: Balances) -> IssuedRewardData:
    return IssuedRewardData(
        **_named(voucher),
        points=voucher.points,
        money_minor=voucher.money_minor,
        cost_minor=terms.cost_minor,
        expires_at=voucher.expires_at,
        balance=balance_of(balance),
    )


def _closed(voucher: Voucher, given: Posted) -> ClosedRewardData:
    return ClosedRewardData(
        **_named(voucher),
        points=given.points,
        debt_cleared=given.debt_cleared,
        paid_minor=voucher.paid_minor,
        reason=voucher.reason_code,
        balance=balance_of(given.balance),
    )


def _message(event: RewardEvent, voucher: Voucher) -> Message:
    return Message.of(event, REDEMPTIONS.topic, str(voucher.member_id))


def _named(voucher: Voucher) -> dict[str, Any]:
    return {
        "voucher_id": voucher.voucher_id,
        "reward_id": voucher.reward_id,
        "reward_version": voucher.reward_version,
        "member_id": voucher.member_id,
        "partner_id": voucher.partner_id,
        "point_type": voucher.point_type,
    }
