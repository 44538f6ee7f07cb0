"""Says what would become of a document if it came now: the worker's own decision, on facts that are not locked."""

from uuid import UUID

from services.accrual.domain.deciding import decide_document
from services.accrual.domain.decisions import Document, Facts
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import projections
from services.accrual.use_cases.load_earning import load_earning
from services.accrual.use_cases.look_from_till import Seen
from services.accrual.use_cases.preview_undoing import Previewed, preview_undoing
from shared import ledger
from shared.database import Transaction
from shared.events.members import MemberStatus
from shared.events.purchases import PurchaseRecorded


async def preview_receipt(
    transaction: Transaction, document: Document, seen: Seen, rules: PublishedRules, programme: Programme
) -> Previewed:
    """What the worker would decide on a document that came now. Nothing is written, locked or claimed.

    ``seen`` is what was seen from its till. A purchase that was posted before is judged as if it had not been. The
    transaction is a snapshot where the document undoes something.
    """
    if isinstance(document.event, PurchaseRecorded):
        await rules.refresh_for(transaction, document.event.data.occurred_at)
    else:
        await rules.refresh(transaction)
    facts = await facts_from_till(transaction, document, seen, rules, programme)
    if not isinstance(document.event, PurchaseRecorded):
        return await preview_undoing(transaction, document, facts, rules, programme)
    earning, _ = await load_earning(
        transaction,
        [document],
        facts,
        rules.tiers.history,
        point_type=programme.point_type,
        is_preview=True,
        stores=seen.stores,
        sharing_trips=True,
    )
    return Previewed(decide_document(document, facts._replace(earning=earning)))


async def facts_from_till(
    transaction: Transaction, document: Document, seen: Seen, rules: PublishedRules, programme: Programme
) -> Facts:
    """What a document is judged by as far as its till says it: without what it undoes, and what rules ask besides."""
    owner_id, statuses = await _owner(transaction, seen)
    return Facts(
        owners={document.natural_key: owner_id} if owner_id is not None else {},
        members=statuses,
        tills=set(seen.tills),
        partners={document.till[0]: seen.standings},
        mappings=seen.mappings,
        funds=seen.funds,
        originals={},
        rule_sets=rules.history,
        now=transaction.now,
        parked_window=programme.parked_window,
        zone=programme.zone,
        retro_window=programme.retro_window,
    )


async def _owner(transaction: Transaction, seen: Seen) -> tuple[UUID | None, dict[UUID, MemberStatus]]:
    """Whose it is, and what was heard of that member; of one who was merged away, who answers."""
    if seen.holder is None:
        return None, {}
    owner_id, status = seen.holder
    if status != "merged":
        return owner_id, {owner_id: status} if status is not None else {}
    survivors = await ledger.find_survivors(transaction, [owner_id])
    owner_id = survivors.get(owner_id, owner_id)
    return owner_id, await projections.find_statuses(transaction, [owner_id])
