"""What became of attempts, written down and told."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from services.notifications.domain.delivery import Outcome, Retry, Settle, decide
from services.notifications.repository import messages
from services.notifications.repository.messages import ClaimedMessage
from shared import outbox
from shared.database import Transaction
from shared.events.catalogue import NOTIFICATIONS
from shared.events.notifications import MessageData, MessageFailed, MessageSent, MessageSuppressed
from shared.ids import new_id
from shared.telemetry.trace_context import child_traceparent

_EVENTS = {"sent": MessageSent, "failed": MessageFailed, "suppressed": MessageSuppressed}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at one message, and how it went."""

    message: ClaimedMessage
    outcome: Outcome


async def record_outcomes(transaction: Transaction, attempts: Sequence[Attempt]) -> list[Settle]:
    """Settle messages or queue them again; returns the ends that took effect.

    Idempotent: a message ends once, with one event in the same transaction, even where two senders sent it. Accepted
    wins over whatever another attempt has said in the meantime, as long as the message has not ended.
    """
    decisions = [
        (attempt.message, decide(attempt.outcome, attempt.message.deferrals, random.random()))  # noqa: S311 -- spread, not a secret  # nosec B311
        for attempt in attempts
    ]
    ends = [(message, decision) for message, decision in decisions if isinstance(decision, Settle)]
    retries = [(message, decision) for message, decision in decisions if isinstance(decision, Retry)]
    await messages.lock_messages(transaction, [message.message_id for message, _ in decisions])
    if retries:
        await messages.retry_messages(transaction, retries)
    if not ends:
        return []
    ended = await messages.settle_messages(transaction, ends)
    effective = [(message, end) for message, end in ends if message.message_id in ended]
    await outbox.record(transaction, [_told(transaction, message, end) for message, end in effective])
    return [end for _, end in effective]


def _told(transaction: Transaction, message: ClaimedMessage, end: Settle) -> outbox.Message:
    event = _EVENTS[end.state](
        id=new_id(),
        source="notifications",
        subject=str(message.member_id),
        time=transaction.now,
        traceparent=child_traceparent(message.traceparent),
        data=MessageData(
            message_id=message.message_id,
            member_id=message.member_id,
            template=message.template,
            channel="email",
            reason=end.reason,
        ),
    )
    return outbox.Message.of(event, NOTIFICATIONS.topic, str(message.member_id))
