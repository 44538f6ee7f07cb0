"""What is known of whoever posts a document and whoever it names, read and not locked, in one round trip."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.category_mapping import PartnerMapping
from services.accrual.domain.decisions import TillCodes
from services.accrual.domain.partner_funds import FundsOf
from services.accrual.domain.partner_standing import Standing
from services.accrual.programme import KnownMappings
from services.accrual.repository import partner_funds, partner_standings, places, projections
from services.accrual.repository.places import StoreFacts, Till, Tolerance
from services.accrual.repository.projections import Holder
from services.accrual.use_cases.load_facts import KnownTills
from shared.database import Transaction
from shared.database.reads import Reads


class Seen(NamedTuple):
    """``standings`` are all that the partner ever was; ``holder`` is None where a card is unknown or blocked, or nobody
    was shown."""

    tolerance: Tolerance
    scheme: str | None
    standings: Sequence[Standing]
    mappings: Mapping[str, PartnerMapping]
    funds: FundsOf
    tills: Collection[TillCodes]
    stores: Mapping[tuple[str, str], StoreFacts]
    holder: Holder | None


async def look_from_till(
    transaction: Transaction,
    till: TillCodes,
    member_id: UUID | None,
    identifier_hashes: Sequence[str],
    mappings: KnownMappings,
    known_tills: KnownTills,
) -> Seen:
    """Look at all of it as it stands now. ``identifier_hashes`` are all that may stand for the card that was shown."""
    partner_id, store_id, _ = till
    reads = Reads(transaction, sharing_trips=True)
    tolerances = reads.ask(places.find_tolerances, [partner_id])
    schemes = reads.ask(places.find_schemes, [Till(*till)])
    standings = reads.ask(partner_standings.load, [partner_id])
    mapped = reads.ask(mappings.refresh, [partner_id])
    funds = reads.ask(partner_funds.load, [partner_id])
    tills = reads.ask(known_tills.check, [till])
    stores = reads.ask(places.load_stores, [(partner_id, store_id)])
    holder = reads.ask(_holder, member_id, identifier_hashes)
    await reads.answered()
    return Seen(
        tolerance=tolerances.value.get(partner_id, Tolerance()),
        scheme=schemes.value.get(Till(*till)),
        standings=standings.value.get(partner_id, []),
        mappings=mapped.value,
        funds=funds.value,
        tills=tills.value,
        stores=stores.value,
        holder=holder.value,
    )


async def _holder(transaction: Transaction, member_id: UUID | None, identifier_hashes: Sequence[str]) -> Holder | None:
    if member_id is not None:
        statuses = await projections.find_statuses(transaction, [member_id])
        return Holder(member_id, statuses.get(member_id))
    if not identifier_hashes:
        return None
    found = await projections.find_holders(transaction, identifier_hashes)
    return next((found[each] for each in identifier_hashes if each in found), None)
