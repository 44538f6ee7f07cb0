"""Loads what is asked of exchanges beside other documents: whose they are, and both sides of those that are voided."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson

from services.accrual.domain.decisions import Document, Original
from services.accrual.domain.exchanged_goods import KnownExchange, goods_taken
from services.accrual.repository import claims, decided_documents, exchanges
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.purchases import ExchangeRecorded, PurchaseData, PurchaseEvent, PurchaseRecorded, ReceiptVoided


def purchase_of(event: PurchaseEvent | None, decision: bytes) -> PurchaseData | None:
    """The goods that an award was given for: those of a purchase, or the new ones of an exchange, as its stored
    ``decision`` says how they were paid. None: the document is not kept any more.
    """
    match event:
        case PurchaseRecorded(data=purchase):
            return purchase
        case ExchangeRecorded(data=exchange):
            return goods_taken(exchange, orjson.loads(decision)["paid"])
        case _:
            return None


def goods_of(event: PurchaseEvent) -> PurchaseData | None:
    """The goods that a document hands over, before it is decided how those of an exchange were paid."""
    if type(event) is PurchaseRecorded:
        return event.data
    return goods_taken(event.data, {}) if isinstance(event, ExchangeRecorded) else None


def owners_of_exchanges(
    documents: Sequence[Document], owners: Mapping[bytes, UUID], originals: Mapping[bytes, Original]
) -> dict[bytes, UUID]:
    """Whose the new goods of exchanges are that show no known card: the member's who had bought the others."""
    found: dict[bytes, UUID] = {}
    for document in documents:
        key, original_key = document.natural_key, document.original_key
        if original_key is None or key in owners or not isinstance(document.event, ExchangeRecorded):
            continue
        original = originals.get(original_key)
        owner_id = found.get(original_key) or owners.get(original_key)  # what it undoes may be in this batch
        if owner_id is None and original is not None:
            owner_id = original.owner_id
        if owner_id is not None:
            found[key] = owner_id
    return found


async def load_exchanges(
    transaction: Transaction,
    documents: Sequence[Document],
    originals: dict[bytes, Original],
    survivors: Mapping[UUID, UUID],
) -> dict[bytes, UUID | None]:
    """Note at ``originals`` which of those that voids undo are exchanges, and add the receipts whose goods they were.

    The owners of these come back as their claims say, which nobody has locked: ``require_same_owners`` looks again.
    """
    voided = [document.original_key for document in documents if isinstance(document.event, ReceiptVoided)]
    keys = [key for key in voided if key is not None and key in originals and originals[key].state == "awarded"]
    found = await exchanges.load(transaction, keys) if keys else {}
    if not found:
        return {}
    lines = await exchanges.load_lines(transaction, found.values())
    events = await decided_documents.load(transaction, list(found))
    for key, row in found.items():
        event = events.get(key)
        originals[key].exchange = KnownExchange(
            row.original_key,
            event.data.total_minor if event is not None else None,
            lines.get(key, {}),
            row.points,
            row.clipped,
            row.clipped_in_all,
            row.voided_by,
        )
    bought = {row.original_key for row in found.values()}
    known = await claims.read(transaction, bought)
    for key, claim in known.items():
        owner_id = claim.owner_id
        state = claim.state if claim.state in ("awarded", "refused") else "waiting"
        if key not in originals:
            originals[key] = Original(state, survivors.get(owner_id, owner_id) if owner_id is not None else None)
    return {key: claim.owner_id for key, claim in known.items()}


async def require_same_owners(transaction: Transaction, owners: Mapping[bytes, UUID | None]) -> None:
    """Nothing, where these receipts are still theirs whose rows are locked by now.

    Raises:
        StartAgainError: one was moved to another member meanwhile.
    """
    known = await claims.read(transaction, owners)
    if any(known[key].owner_id != owner_id for key, owner_id in owners.items()):
        raise StartAgainError("a receipt was moved to another member meanwhile")
