"""What is to be sent now, taken for the length of a lease."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifications.domain.codes import Challenge
from services.notifications.domain.digest import PointsDigest, fold_digest
from services.notifications.domain.news import PointsNews, fold_news
from services.notifications.domain.pin_notices import PinChangeKind
from services.notifications.repository import codes, digests, messages, news, pin_notices
from services.notifications.repository.messages import ClaimedMessage
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message in the hands of one sender, with what it has to say: earned points, news, a code that is asked for, or
    what happened to a PIN; the others are empty.

    ``claimed_at`` is business time.
    """

    message: ClaimedMessage
    digest: PointsDigest
    news: PointsNews
    claimed_at: datetime
    challenge: Challenge | None = None
    pin_change: PinChangeKind | None = None


async def claim_due_messages(transaction: Transaction, limit: int, lease: timedelta) -> list[DueMessage]:
    """Close digests and news that are due and claim at most ``limit`` messages.

    Several senders may do this at once: none waits for another, and none gets what another holds. A message whose
    lease ran out is claimed again, with a deferral on its count: nobody knows whether it was accepted.
    """
    await digests.close_due_digests(transaction, limit)
    await news.close_due_news(transaction, limit)
    claimed = await messages.claim_messages(transaction, limit, lease)
    if not claimed:
        return []
    message_ids = [message.message_id for message in claimed]
    totals = await digests.load_totals(transaction, message_ids)
    facts = await news.load_facts(transaction, message_ids)
    asked = await codes.load(transaction, message_ids)
    of_pins = await pin_notices.load(transaction, message_ids)
    return [
        DueMessage(
            message,
            fold_digest(totals[message.message_id]),
            fold_news(facts[message.message_id]),
            transaction.now,
            asked.get(message.message_id),
            of_pins.get(message.message_id),
        )
        for message in claimed
    ]
