"""Loads all that a batch is judged by, set-based, taking locks in the one order: meeting rows, members, awards."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta, tzinfo
from uuid import UUID

import orjson

from services.accrual.domain.decisions import Document, Facts, Original, TillCodes
from services.accrual.domain.partner_funds import FundsOf, rule_on
from services.accrual.domain.rules import RuleSetHistory
from services.accrual.domain.stored_facts import facts_from_stored
from services.accrual.programme import KnownFunds, PublishedRules
from services.accrual.repository import (
    awards,
    claims,
    corrections,
    decided_documents,
    decided_returns,
    parked,
    partner_standings,
    places,
    projections,
)
from services.accrual.repository.awards import StoredAward
from services.accrual.repository.places import Till
from services.accrual.use_cases.load_exchanges import (
    load_exchanges,
    owners_of_exchanges,
    purchase_of,
    require_same_owners,
)
from services.accrual.use_cases.load_handovers import load_sales, note_what_handovers_took
from services.accrual.use_cases.part_commands import known_parts
from shared import ledger
from shared.database import Transaction
from shared.events.purchases import ExchangeRecorded, PurchaseRecorded


class MeetingRowsNeededError(Exception):
    """A fact is missing whose meeting row should have been locked earlier: roll back and start again with ``keys``."""

    def __init__(self, keys: frozenset[str]) -> None:
        super().__init__(f"start again with {len(keys)} meeting rows")
        self.keys = keys


class KnownTills:
    """Tills that this process has seen registered. Only what is there is remembered: it never goes away."""

    def __init__(self) -> None:
        self._known: set[TillCodes] = set()

    async def check(self, transaction: Transaction, tills: Iterable[TillCodes]) -> set[TillCodes]:
        """Those of the tills that are registered; asks the database only for those not seen before."""
        asked = set(tills)
        unseen = asked - self._known
        if unseen:
            found = await places.find_tills(transaction, [Till(*codes) for codes in unseen])
            self._known |= {(till.partner_id, till.store_id, till.till_id) for till in found}
        return asked & self._known


async def load_facts(
    transaction: Transaction,
    documents: Sequence[Document],
    rules: PublishedRules,
    known_tills: KnownTills,
    known_funds: KnownFunds,
    meet_first: frozenset[str],
    parked_window: timedelta,
    zone: tzinfo,
) -> Facts:
    """The facts for documents that this transaction has claimed. What is missing was looked for under its lock.

    What bears the name of a member who was merged away belongs to the survivor.

    Raises:
        MeetingRowsNeededError: a member is not known here yet, or was merged away.
    """
    survivors: Mapping[UUID, UUID] = {}
    if meet_first:
        await parked.meet(transaction, meet_first)
        survivors = await ledger.find_survivors(transaction, parked.members_waited_for(meet_first))
    owners = await _owners(transaction, documents, survivors)
    tills = await known_tills.check(transaction, {document.till for document in documents})
    funds = known_funds.of_partner  # one reading for the whole batch: it may be read anew meanwhile
    missing = _missing(documents, owners, tills, rules, funds)
    if missing:
        # The last word on what is missing is spoken under the lock in which its registration would meet us.
        await parked.meet(transaction, missing | meet_first)
        owners = await _owners(transaction, documents, survivors)
        tills = await known_tills.check(transaction, {document.till for document in documents})
        await rules.refresh(transaction)
        await known_funds.refresh(transaction)
        funds = known_funds.of_partner
    partners = await partner_standings.load(transaction, {document.till[0] for document in documents})
    mappings = await rules.mappings.refresh(transaction, {document.till[0] for document in documents})
    originals = await claimed_originals(transaction, documents, survivors)
    exchanged = await load_exchanges(transaction, documents, originals, survivors)
    sales = None
    if rules.history.names_prepayments:
        sales = await load_sales(transaction, documents, originals, survivors)
        exchanged |= sales.owners
    owners |= owners_of_exchanges(documents, owners, originals)
    wanted = set(owners.values()) | {original.owner_id for original in originals.values() if original.owner_id}
    members = await projections.lock_members(transaction, wanted)
    # One that was merged away is looked up only now: nearly nobody was, and its row says so under the lock.
    needed = frozenset(parked.waits_for_member(one) for one in wanted if members.get(one, "merged") == "merged")
    if needed - meet_first:
        raise MeetingRowsNeededError(needed | meet_first)
    if originals:
        await complete_originals(
            transaction, originals, await awards.lock_awards(transaction, awarded_of(originals)), rules.history
        )
    if sales is not None:
        await note_what_handovers_took(transaction, sales, originals)
    if exchanged:
        await require_same_owners(transaction, exchanged)
    return Facts(
        owners,
        members,
        tills,
        partners,
        mappings,
        funds,
        originals,
        rules.history,
        transaction.now,
        parked_window,
        zone,
        handovers=None if sales is None else sales.of_prepayments,
    )


async def _owners(
    transaction: Transaction, documents: Sequence[Document], survivors: Mapping[UUID, UUID]
) -> dict[bytes, UUID]:
    """Whose documents these are: as the door resolved it, else as the identifier says now."""
    owners: dict[bytes, UUID] = {}
    unresolved: dict[bytes, str] = {}
    for document in documents:
        data = document.event.data
        if data.member_id is not None:
            owners[document.natural_key] = data.member_id
        elif data.identifier_hash is not None:
            unresolved[document.natural_key] = data.identifier_hash
    if unresolved:
        found = await projections.find_members(transaction, set(unresolved.values()))
        owners |= {key: found[hashed] for key, hashed in unresolved.items() if hashed in found}
    return {key: survivors.get(owner, owner) for key, owner in owners.items()} if survivors else owners


def _missing(
    documents: Sequence[Document],
    owners: dict[bytes, UUID],
    tills: set[TillCodes],
    rules: PublishedRules,
    funds: FundsOf,
) -> frozenset[str]:
    keys = {parked.waits_for_till(*till) for till in {document.till for document in documents} - tills}
    begins_at = rules.history.begins_at
    if begins_at is None or any(document.event.data.occurred_at < begins_at for document in documents):
        keys.add(parked.MEETS_RULES)
    if len(owners) < len(documents):
        unknown = [document for document in documents if document.natural_key not in owners]
        hashes = {document.event.data.identifier_hash for document in unknown}
        keys |= {parked.waits_for_identifier(hashed) for hashed in hashes if hashed is not None}
    if funds:
        times = {(document.till[0], document.event.data.occurred_at) for document in documents}
        uncovered = {partner for partner, at in times if rule_on(funds.get(partner), at) == "no_contract"}
        keys |= {parked.meets_contract(partner_id) for partner_id in uncovered}
    return frozenset(keys)


async def claimed_originals(
    transaction: Transaction, documents: Sequence[Document], survivors: Mapping[UUID, UUID]
) -> dict[bytes, Original]:
    """The purchases that returns in this batch undo, as their claims say. Those without a claim are absent."""
    keys = {key for document in documents if (key := document.original_key) is not None}
    keys |= {key for document in documents if document.prepaid_keys for key in document.prepaid_keys}
    if keys:
        gives = PurchaseRecorded | ExchangeRecorded
        keys -= {document.natural_key for document in documents if isinstance(document.event, gives)}
    if not keys:
        return {}
    known = await claims.read(transaction, keys)
    return {
        key: Original(
            claim.state if claim.state in ("awarded", "refused") else "waiting",
            survivors.get(claim.owner_id, claim.owner_id) if claim.owner_id is not None else None,
        )
        for key, claim in known.items()
    }


def awarded_of(originals: Mapping[bytes, Original]) -> list[bytes]:
    """Those of the purchases that were awarded."""
    return [key for key, original in originals.items() if original.state == "awarded"]


async def complete_originals(
    transaction: Transaction,
    originals: Mapping[bytes, Original],
    stored: Mapping[bytes, StoredAward],
    history: RuleSetHistory,
) -> None:
    """Fill in what the awarded ones earned, by which facts, and what came back of them. ``stored`` are their awards:
    locked after their owners, by whoever decides.
    """
    keys = awarded_of(originals)
    documents = await decided_documents.load(transaction, keys)
    returned = await decided_returns.load_returned(transaction, keys)
    changed = [key for key, award in stored.items() if award.corrected_by is not None]
    first = await corrections.load_first(transaction, changed) if changed else {}
    lacked = await decided_returns.load_lacked(transaction, keys) if history.forgives else {}
    for key, award in stored.items():
        original = originals[key]
        original.purchase = purchase_of(documents.get(key), award.decision)
        original.rule_set_version = award.rule_set_version
        original.mapping_version = award.mapping_version
        original.points = award.points
        original.taken_back = award.taken_back
        original.parts, original.earned_on = known_parts(award), award.terms.available_from
        original.returned_thousandths = returned.get(key, {})
        original.lacked = lacked.get(key, 0)
        original.voided_by = award.voided_by
        original.first_total_minor = first[key].data.total_minor if key in first else None
        if original.purchase is not None and (rule_set := history.version(award.rule_set_version)).needs_facts:
            facts = orjson.loads(award.decision).get("facts")
            original.facts = facts_from_stored(facts, rule_set.needs)
