"""What is to be sent now, taken for the length of a lease."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifications.domain.digest import PointsDigest, fold_digest
from services.notifications.repository import digests, messages
from services.notifications.repository.messages import ClaimedMessage
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message in the hands of one sender, with what it has to say. ``claimed_at`` is business time."""

    message: ClaimedMessage
    digest: PointsDigest
    claimed_at: datetime


async def claim_due_messages(transaction: Transaction, limit: int, lease: timedelta) -> list[DueMessage]:
    """Close digests that are due and claim at most ``limit`` messages.

    Several senders may do this at once: none waits for another, and none gets what another holds. A message whose
    lease ran out is claimed again, with a deferral on its count: nobody knows whether it was accepted.
    """
    await digests.close_due_digests(transaction, limit)
    claimed = await messages.claim_messages(transaction, limit, lease)
    if not claimed:
        return []
    totals = await digests.load_totals(transaction, [message.message_id for message in claimed])
    return [DueMessage(message, fold_digest(totals[message.message_id]), transaction.now) for message in claimed]
