"""Says what a receipt would earn if it came now: the worker's own decision, on facts that are read and not locked."""

from collections.abc import Sequence
from datetime import timedelta, tzinfo
from uuid import UUID

from services.accrual.domain.deciding import decide_document
from services.accrual.domain.decisions import Decision, Document, Facts
from services.accrual.domain.partner_standing import Standing
from services.accrual.programme import PublishedRules
from services.accrual.repository import partner_funds, projections
from services.accrual.use_cases.load_earning import load_earning
from services.accrual.use_cases.load_facts import KnownTills
from shared import ledger
from shared.database import Transaction


async def preview_receipt(
    transaction: Transaction,
    document: Document,
    identifier_hashes: Sequence[str],
    standings: Sequence[Standing],
    rules: PublishedRules,
    known_tills: KnownTills,
    parked_window: timedelta,
    zone: tzinfo,
    point_type: str,
    retro_window: timedelta = timedelta.max,
) -> Decision:
    """What the worker would decide on a purchase that came now. Nothing is written, locked or claimed.

    ``identifier_hashes`` are all that may stand for the card that it shows; ``standings`` all that its partner ever
    was. A document that was posted before is judged as if it had not been.
    """
    partner_id = document.till[0]
    await rules.refresh(transaction)
    mappings = await rules.mappings.refresh(transaction, [partner_id])
    owner_id = document.event.data.member_id or await _owner(transaction, identifier_hashes)
    statuses = await projections.find_statuses(transaction, [owner_id]) if owner_id is not None else {}
    if owner_id is not None and statuses.get(owner_id) == "merged":
        survivors = await ledger.find_survivors(transaction, [owner_id])
        owner_id = survivors.get(owner_id, owner_id)
        statuses |= await projections.find_statuses(transaction, [owner_id])
    facts = Facts(
        owners={document.natural_key: owner_id} if owner_id is not None else {},
        members=statuses,
        tills=await known_tills.check(transaction, [document.till]),
        partners={partner_id: standings},
        mappings=mappings,
        funds=await partner_funds.load(transaction, [partner_id]),
        originals={},
        rule_sets=rules.history,
        now=transaction.now,
        parked_window=parked_window,
        zone=zone,
        retro_window=retro_window,
    )
    earning, _ = await load_earning(
        transaction, [document], facts, rules.tiers.history, point_type=point_type, is_preview=True
    )
    return decide_document(document, facts._replace(earning=earning))


async def _owner(transaction: Transaction, identifier_hashes: Sequence[str]) -> UUID | None:
    """The card's member; an unknown or blocked card has none."""
    if not identifier_hashes:
        return None
    found = await projections.find_members(transaction, identifier_hashes)
    return next((found[each] for each in identifier_hashes if each in found), None)
