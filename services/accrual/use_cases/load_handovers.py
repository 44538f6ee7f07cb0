"""Loads what a sale's other documents are judged by, where rules let prepayments earn when they are paid."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.accrual.domain.decisions import Awarded, Decision, Document, Original
from services.accrual.domain.exchanged_goods import KnownExchange
from services.accrual.domain.prepayments import handover_key, pays_ahead
from services.accrual.repository import claims, exchanges, handovers
from services.accrual.repository.handovers import Handover
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.purchases import PurchaseRecorded, ReceiptVoided


@dataclass(slots=True)
class Sales:
    """``of_prepayments`` are the handovers that name a prepayment of this batch, or one that a voided handover names,
    by its key; ``voided`` is what those name that are voided in it. ``owners`` are as claims say that nobody holds.
    """

    of_prepayments: dict[bytes, list[bytes]] = field(default_factory=dict)
    voided: list[Handover] = field(default_factory=list)
    owners: dict[bytes, UUID | None] = field(default_factory=dict)


async def load_sales(
    transaction: Transaction,
    documents: Sequence[Document],
    originals: dict[bytes, Original],
    survivors: Mapping[UUID, UUID],
) -> Sales:
    """Find what belongs to the same sale, and add it to ``originals``; its owners are to be locked."""
    sales = Sales()
    ahead = {
        one.natural_key for one in documents if isinstance(one.event, PurchaseRecorded) and pays_ahead(one.event.data)
    }
    voided = [one.original_key for one in documents if isinstance(one.event, ReceiptVoided)]
    if voided:
        sales.voided = await handovers.find_of_handovers(transaction, [key for key in voided if key is not None])
    named = ahead | {row.prepaid_key for row in sales.voided}
    for row in await handovers.find_of_prepayments(transaction, named) if named else ():
        sales.of_prepayments.setdefault(row.prepaid_key, []).append(row.natural_key)
    others = {key for keys in sales.of_prepayments.values() for key in keys}
    others |= {row.prepaid_key for row in sales.voided}
    own = {one.natural_key for one in documents}
    others = {key for key in others if key not in originals and key not in own}
    if others:
        known = await claims.read(transaction, others)
        originals |= {key: original_of(claim, survivors) for key, claim in known.items()}
        sales.owners = {key: claim.owner_id for key, claim in known.items()}
    return sales


def original_of(claim: claims.Claim, survivors: Mapping[UUID, UUID]) -> Original:
    """A document as its claim says, of which nothing else is known yet."""
    owner_id = claim.owner_id
    state = claim.state if claim.state in ("awarded", "refused") else "waiting"
    return Original(state, survivors.get(owner_id, owner_id) if owner_id is not None else None)


async def note_what_handovers_took(transaction: Transaction, sales: Sales, originals: dict[bytes, Original]) -> None:
    """Add what handovers that are voided had taken of their prepayments. Their awards are locked, so that it stays so.

    Raises:
        StartAgainError: a prepayment, or another handover, was decided while we waited for these locks.
    """
    named = {row.prepaid_key for row in sales.voided}
    for now in await handovers.find_of_prepayments(transaction, named) if named else ():
        if now.natural_key not in sales.of_prepayments.get(now.prepaid_key, ()):
            raise StartAgainError("another receipt has handed over what was paid ahead meanwhile")
    sides = {handover_key(row.natural_key, row.prepaid_key): row for row in sales.voided}
    found = await exchanges.load(transaction, list(sides)) if sides else {}
    lines = await exchanges.load_lines(transaction, found.values()) if found else {}
    for side, row in found.items():
        prepaid = originals.get(row.original_key)
        if prepaid is None or prepaid.state != "awarded":
            raise StartAgainError("a prepayment was decided meanwhile")
        known = KnownExchange(
            row.original_key, None, lines.get(side, {}), row.points, row.clipped, row.clipped_in_all, row.voided_by
        )
        originals[side] = Original("awarded", prepaid.owner_id, exchange=known, voided_by=row.voided_by)


async def save_handovers(transaction: Transaction, decisions: Iterable[Decision]) -> None:
    """Keep what awarded handovers name, for prepayments that are decided after them."""
    rows = [
        Handover(prepaid_key, decision.document.natural_key)
        for decision in decisions
        if isinstance(decision, Awarded)
        for prepaid_key in decision.document.prepaid_keys
    ]
    if rows:
        await handovers.save(transaction, rows)
