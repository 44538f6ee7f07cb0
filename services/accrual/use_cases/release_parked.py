"""Publishes parked receipts again once the fact they waited for is here.

A released receipt is a new event of the same document, under its member if one is known: the topic's other readers see
it too, and its claim, still parked, is decided when it comes back.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from services.accrual.domain.decisions import Awarded, ClawedBack, Decision, Exchanged, Refused
from services.accrual.domain.purchase_event import with_member
from services.accrual.repository import parked
from services.accrual.use_cases.messages import purchase_message
from shared import outbox
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.receipt_key import natural_key_of


async def release_parked(
    transaction: Transaction, waits_for: Collection[str], members: Mapping[str, UUID] | None = None
) -> int:
    """Publish again what waits for these keys; ``members`` gives the member whom an identifier hash belongs to.

    The caller holds the meeting rows. Idempotent: what was released is no longer parked. How many were released comes
    back; at most ``parked.RELEASE_ROWS_MAX`` at a time, the sweep takes the rest.
    """
    taken = await parked.take(transaction, waits_for)
    events = []
    for row in taken:
        event = PURCHASES.read(row.event)
        known = (members or {}).get(event.data.identifier_hash or "")
        events.append(with_member(event, known) if known is not None else event)
    await outbox.record(transaction, [purchase_message(event) for event in events])
    return len(taken)


async def release_waiting_returns(transaction: Transaction, decisions: Sequence[Decision]) -> int:
    """Publish again the returns that waited for purchases which this transaction has settled.

    The purchase's claim is where they meet: a return that names it holds that row until it has parked.
    """
    gave = Awarded | Refused | Exchanged
    settled = [decision.document.natural_key for decision in decisions if isinstance(decision, gave)]
    # What a handover took of a prepayment that came after it; its void may have waited to hear it.
    settled += [
        natural_key_of(decision.document.event.data.receipt_id)
        for decision in decisions
        if isinstance(decision, ClawedBack) and decision.cause == "handover"
    ]
    if not settled or not await parked.do_returns_wait(transaction):
        return 0
    return await release_parked(transaction, [parked.waits_for_receipt(key) for key in settled])


async def release_what_funds_decide(transaction: Transaction) -> int:
    """Publish again what waited to hear how its partner stood once it had arrived, and can be decided now.

    A page; call it until nothing comes back. No row is met: what is missed now is found a second later.
    """
    known = await parked.find_funds_known(transaction)
    return await release_parked(transaction, known) if known else 0
