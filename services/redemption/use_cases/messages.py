"""The events that redemption publishes, each with the topic and the key it travels under."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.redemption.domain.confirming import Challenge, Clearance, Wish
from services.redemption.domain.gifting import Gift
from services.redemption.domain.giving_back import GiveBack
from services.redemption.domain.holding import Decline, LetGo
from services.redemption.domain.leaving import Leaving
from services.redemption.domain.redemption import Redemption
from services.redemption.domain.shrinking import Shrink
from services.redemption.use_cases.take_points import GivenBack, Pooled, Settled
from shared.database import Transaction
from shared.events.balances import Balance, IssuerPoints
from shared.events.catalogue import REDEMPTIONS
from shared.events.redemptions import (
    CaptureData,
    ChallengeData,
    DeclineData,
    GiftData,
    HoldData,
    PointsGifted,
    PooledPoints,
    RedemptionCaptured,
    RedemptionDeclined,
    RedemptionEvent,
    RedemptionExpired,
    RedemptionHeld,
    RedemptionRefunded,
    RedemptionVoided,
    RefundData,
    SpendChallenged,
    UnholdData,
)
from shared.ids import new_id
from shared.ledger import Balances, Give, Posted
from shared.ledger.telling import funded_told
from shared.outbox import Message
from shared.receipt_key import receipt_id_of
from shared.telemetry.trace_context import child_traceparent, current_traceparent

SOURCE = "redemption"


def envelope(transaction: Transaction, subject: UUID | str, traceparent: str | None) -> dict[str, Any]:
    """What all of these events bear beside their data; ``traceparent`` is what led to them, if anything did."""
    return {
        "id": new_id(),
        "source": SOURCE,
        "subject": str(subject),
        "time": transaction.now,
        "traceparent": child_traceparent(traceparent),
    }


def balance_of(balances: Balances) -> Balance:
    """Balances as events tell of them."""
    return Balance(available=balances.available, held=balances.held, pending=balances.pending, debt=balances.debt)


def held_message(
    transaction: Transaction,
    redemption: Redemption,
    balance: Balances,
    pooled: Sequence[Pooled] = (),
    clearance: Clearance | None = None,
    store_id: str | None = None,
) -> Message:
    """Points were reserved; ``clearance`` says who let them go, where that was asked, and ``store_id`` where."""
    member_id, partner_id = named(redemption)
    if redemption.expires_at is None:
        raise AssertionError("unreachable: a hold ends")
    event = RedemptionHeld(
        **envelope(transaction, redemption.redemption_id, current_traceparent()),
        data=HoldData(
            redemption_id=redemption.redemption_id,
            member_id=member_id,
            partner_id=partner_id,
            point_type=redemption.point_type,
            points=redemption.held_points,
            expires_at=redemption.expires_at,
            balance=balance_of(balance),
            session_id=redemption.session_id,
            pooled=_pooled(pooled),
            decided_by=None if clearance is None else clearance.decided_by,
            decision_id=None if clearance is None else clearance.decision_id,
            store_id=None if clearance is None else store_id,
        ),
    )
    return _message(event, member_id)


def challenged_message(transaction: Transaction, challenge: Challenge, wish: Wish) -> Message:
    """A member is to confirm by a code, which this does not say."""
    event = SpendChallenged(
        **envelope(transaction, challenge.challenge_id, current_traceparent()),
        data=ChallengeData(
            challenge_id=challenge.challenge_id,
            member_id=challenge.member_id,
            kind=wish.kind,
            partner_id=wish.partner_id,
            point_type=wish.point_type,
            points=wish.points,
            key_id=challenge.key_id,
            expires_at=challenge.expires_at,
        ),
    )
    return _message(event, challenge.member_id)


def declined_message(transaction: Transaction, decline: Decline) -> Message:
    """A hold was refused."""
    member_id, partner_id = named(decline.redemption)
    event = RedemptionDeclined(
        **envelope(transaction, decline.redemption.redemption_id, current_traceparent()),
        data=DeclineData(
            redemption_id=decline.redemption.redemption_id,
            member_id=member_id,
            partner_id=partner_id,
            point_type=decline.redemption.point_type,
            points=decline.points,
            reason=decline.reason,
        ),
    )
    return _message(event, member_id)


def captured_message(transaction: Transaction, settled: Settled, balance: Balances, traceparent: str | None) -> Message:
    """Points were taken. ``late`` says that not all of them had been reserved."""
    redemption, capture = settled.redemption, settled.capture
    member_id, partner_id = named(redemption)
    event = RedemptionCaptured(
        **envelope(transaction, redemption.redemption_id, traceparent),
        data=CaptureData(
            redemption_id=redemption.redemption_id,
            receipt_id=receipt_id_of(capture.receipt_key),
            member_id=member_id,
            partner_id=partner_id,
            point_type=redemption.point_type,
            points=capture.points - capture.debt_points,
            debt_points=capture.debt_points,
            released_points=capture.released_points,
            late=capture.is_late,
            late_because=capture.late_because,
            uncovered_points=capture.uncovered_points,
            by_issuer=tuple(IssuerPoints(issuer=issuer, points=points) for issuer, points in settled.issuers),
            balance=balance_of(balance),
            pooled=_pooled(settled.pooled),
            by_funding=funded_told(settled.funded),
        ),
    )
    return _message(event, member_id)


def refunded_message(transaction: Transaction, one: GiveBack, given: GivenBack, balance: Balances) -> Message:
    """What a receipt had taken was given back: it was voided, or its goods came back."""
    redemption, capture = one.redemption, one.capture
    member_id, partner_id = named(redemption)
    event = RedemptionRefunded(
        **envelope(transaction, redemption.redemption_id, one.undoing.traceparent),
        data=RefundData(
            redemption_id=redemption.redemption_id,
            receipt_id=receipt_id_of(capture.receipt_key),
            undone_by=receipt_id_of(one.undoing.undone_by),
            cause=one.undoing.cause,
            member_id=member_id,
            partner_id=partner_id,
            point_type=redemption.point_type,
            points=one.points - one.debt_points,
            debt_points=one.debt_points,
            debt_cleared=given.debt_cleared,
            captured_at=one.captured_at,
            by_issuer=tuple(IssuerPoints(issuer=issuer, points=points) for issuer, points in given.issuers),
            balance=balance_of(balance),
            pooled=_pooled(given.pooled),
            by_funding=funded_told(given.funded),
            content_hash=one.undoing.content_hash or None,
        ),
    )
    return _message(event, member_id)


def voided_message(transaction: Transaction, let_go: LetGo, balance: Balances, pooled: Sequence[Pooled]) -> Message:
    """A till let reserved points go."""
    event = RedemptionVoided(
        **envelope(transaction, let_go.redemption.redemption_id, current_traceparent()),
        data=_unheld(let_go, balance, pooled),
    )
    return _message(event, event.data.member_id)


def shrunk_message(transaction: Transaction, shrink: Shrink, balance: Balances, pooled: Sequence[Pooled]) -> Message:
    """A till let some of the reserved points go; the rest stays reserved."""
    return voided_message(transaction, LetGo(shrink.redemption, shrink.points), balance, pooled)


def expired_message(transaction: Transaction, let_go: LetGo, balance: Balances, pooled: Sequence[Pooled]) -> Message:
    """Time let reserved points go."""
    event = RedemptionExpired(
        **envelope(
            transaction, let_go.redemption.redemption_id, None
        ),  # nobody asked: an expiry starts a trace of its own
        data=_unheld(let_go, balance, pooled),
    )
    return _message(event, event.data.member_id)


def left_behind_message(
    transaction: Transaction, leaving: Leaving, given: Posted, balances: Mapping[UUID, Balances], gift_id: UUID
) -> Message:
    """What a member had who left a household stayed there, with the heir or whoever answers for it by now."""
    match given.command:
        case Give(receiver_id=receiver_id, point_type=point_type):
            pass
        case _:
            raise AssertionError("unreachable: points were given")
    event = PointsGifted(
        **envelope(transaction, gift_id, current_traceparent()),
        data=GiftData(
            gift_id=gift_id,
            member_id=leaving.member_id,
            receiver_id=receiver_id,
            point_type=point_type,
            points=given.points,
            reason="household_left",
            household_id=leaving.household_id,
            debt_cleared=given.debt_cleared,
            by_issuer=tuple(IssuerPoints(issuer=issuer, points=points) for issuer, points in given.issuers),
            balance=balance_of(balances[leaving.member_id]),
            receiver_balance=balance_of(balances[leaving.heir_id]),
            by_funding=funded_told(given.funded),
        ),
    )
    return _message(event, leaving.member_id)


def given_message(transaction: Transaction, gift: Gift, given: Posted, clearance: Clearance | None = None) -> Message:
    """A member gave points to another."""
    if given.receiver is None:
        raise AssertionError("unreachable: points were given")
    event = PointsGifted(
        **envelope(transaction, gift.gift_id, current_traceparent()),
        data=GiftData(
            gift_id=gift.gift_id,
            member_id=gift.giver_id,
            receiver_id=gift.receiver_id,
            point_type=gift.point_type,
            points=given.points,
            reason="gift",
            debt_cleared=given.debt_cleared,
            by_issuer=tuple(IssuerPoints(issuer=issuer, points=points) for issuer, points in given.issuers),
            balance=balance_of(given.balance),
            receiver_balance=balance_of(given.receiver),
            by_funding=funded_told(given.funded),
            decided_by=None if clearance is None else clearance.decided_by,
            decision_id=None if clearance is None else clearance.decision_id,
        ),
    )
    return _message(event, gift.giver_id)


def named(redemption: Redemption) -> tuple[UUID, str]:
    """Whose points at which partner, of a redemption that has come far enough to know."""
    if redemption.member_id is None or redemption.partner_id is None:
        raise AssertionError(f"unreachable: redemption {redemption.redemption_id} moved points of nobody")
    return redemption.member_id, redemption.partner_id


def _unheld(let_go: LetGo, balance: Balances, pooled: Sequence[Pooled]) -> UnholdData:
    redemption = let_go.redemption
    member_id, partner_id = named(redemption)
    return UnholdData(
        redemption_id=redemption.redemption_id,
        member_id=member_id,
        partner_id=partner_id,
        point_type=redemption.point_type,
        points=let_go.points,
        open_points=redemption.open_points,
        balance=balance_of(balance),
        pooled=_pooled(pooled),
    )


def _message(event: RedemptionEvent, member_id: UUID) -> Message:
    return Message.of(event, REDEMPTIONS.topic, str(member_id))


def _pooled(pooled: Sequence[Pooled]) -> tuple[PooledPoints, ...]:
    return tuple(
        PooledPoints(member_id=one.owner_id, points=one.points, balance=balance_of(one.balance)) for one in pooled
    )
