"""Accrual on a real database, without a broker: events go in by hand, the outbox is read by hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from services.accrual.domain.content_keys import ContentKeys
from services.accrual.domain.decisions import Decision
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.runs import in_runs
from services.accrual.programme import KnownFunds, Programme, PublishedRules
from services.accrual.use_cases.award_purchases import BatchReport, award_purchases
from services.accrual.use_cases.celebrate_members import take_in_enrolments
from services.accrual.use_cases.claw_back_policy import PointsNotThereError
from services.accrual.use_cases.load_facts import KnownTills, MeetingRowsNeededError
from services.accrual.use_cases.look_from_till import look_from_till
from services.accrual.use_cases.preview_receipt import preview_receipt
from services.accrual.use_cases.preview_undoing import Previewed
from services.accrual.use_cases.project_coalition import project_coalition
from services.accrual.use_cases.project_members import project_members
from shared.database import Database, Transaction
from shared.database.roles import role_name
from shared.events.catalogue import CATALOGUE, PURCHASES
from shared.events.coalition import PartnerChanged, PartnerData, StoreChanged, StoreData, TillChanged, TillData
from shared.events.envelope import Event
from shared.events.members import MemberEvent
from shared.events.purchases import PurchaseEvent
from shared.ids import new_id
from shared.ledger import Balances, HeldSince, load_balances
from tests.support.databases import FreshDatabase
from tests.support.receipts import NOON, RULES, document
from tests.support.registries import CONTENT_KEYS

PROGRAMME = Programme(
    point_type="points",
    currency="USD",
    zone=ZoneInfo("America/New_York"),
    parked_window=timedelta(days=30),
    content_keys=ContentKeys.parse(CONTENT_KEYS),
)
ADAPTERS = {events.topic: events for events in CATALOGUE}


@dataclass
class Accrual:
    """One worker's view of one database."""

    database: Database
    rules: PublishedRules = field(default_factory=PublishedRules)
    known_tills: KnownTills = field(default_factory=KnownTills)
    funds: KnownFunds = field(default_factory=KnownFunds)

    async def begin(self, partners: Sequence[str] = ("grocer", "fuel"), rule_set: RuleSet | None = RULES) -> None:
        """A coalition with a store and two tills a partner, and a rule set."""
        async with self.database.transaction() as transaction:
            for partner_id in partners:
                await project_coalition(transaction, coalition_events(partner_id))
        await self.publish(*([] if rule_set is None else [rule_set]))

    async def publish(self, *rule_sets: RuleSet) -> None:
        """Rule sets that were published long ago, of which this worker hears now."""
        async with self.database.transaction() as transaction:
            for rule_set in rule_sets:
                await published_before(transaction, rule_set)
            await self.rules.refresh(transaction)

    async def award(self, *events: PurchaseEvent) -> BatchReport:
        """One batch, one transaction."""
        return await self._award(events)

    async def award_in_runs(self, *events: PurchaseEvent) -> list[BatchReport]:
        """One batch as the worker cuts it."""
        runs = in_runs([document(event) for event in events], self.rules.history)
        return [await self._award([each.event for each in run]) for run in runs]

    async def _award(self, events: Sequence[PurchaseEvent]) -> BatchReport:
        meet_first: frozenset[str] = frozenset()
        not_there: frozenset[bytes] = frozenset()
        while True:
            try:  # begun again where a connection was lost, as services do
                return await self.database.run(partial(self._award_in, events, meet_first, not_there))
            except MeetingRowsNeededError as needed:
                meet_first = needed.keys
            except PointsNotThereError as lacking:
                not_there |= lacking.keys

    async def _award_in(
        self,
        events: Sequence[PurchaseEvent],
        meet_first: frozenset[str],
        not_there: frozenset[bytes],
        transaction: Transaction,
    ) -> BatchReport:
        return await self.award_in(transaction, events, meet_first, not_there)

    async def award_in(
        self,
        transaction: Transaction,
        events: Sequence[PurchaseEvent],
        meet_first: frozenset[str] = frozenset(),
        not_there: frozenset[bytes] = frozenset(),
    ) -> BatchReport:
        """One batch in a transaction that the test commits."""
        documents = [document(event) for event in events]
        return await award_purchases(
            transaction,
            documents,
            PROGRAMME,
            self.rules,
            self.known_tills,
            self.funds,
            HeldSince(),
            meet_first,
            not_there,
        )

    async def preview(self, event: PurchaseEvent) -> Decision:
        """What would be decided on a document, on what is read and not locked."""
        return (await self.previewed(event)).decision

    async def previewed(self, event: PurchaseEvent) -> Previewed:
        """The same with what the ledger would answer."""
        return await self.database.read(lambda transaction: self.preview_in(transaction, event))

    async def preview_in(self, transaction: Transaction, event: PurchaseEvent) -> Previewed:
        """The same in a transaction of the test's."""
        asked = document(event)
        hashes = [event.data.identifier_hash] if event.data.identifier_hash is not None else []
        member_id = event.data.member_id
        seen = await look_from_till(transaction, asked.till, member_id, hashes, self.rules.mappings, self.known_tills)
        return await preview_receipt(transaction, asked, seen, self.rules, PROGRAMME)

    async def members(self, *events: MemberEvent) -> int:
        """Project members' events."""

        async def work(transaction: Transaction) -> int:
            released = await project_members(transaction, events)
            await take_in_enrolments(transaction, events, PROGRAMME, self.rules)
            return released

        return await self.database.run(work)

    async def balance(self, owner: UUID) -> Balances:
        """The owner's balance."""
        balances = await self.database.run(lambda transaction: load_balances(transaction, [owner], "points"))
        return balances[owner]

    async def drain(self) -> list[Event]:
        """Everything in the outbox, in order within each slot; it is gone afterwards."""
        async with self.database.transaction() as transaction:
            rows = await transaction.raw.fetch("select topic, body from outbox order by slot, id")
            await transaction.raw.execute("delete from outbox")
        return [ADAPTERS[row["topic"]].read(row["body"]) for row in rows]

    async def released(self) -> list[PurchaseEvent]:
        """The receipts that were published again."""
        async with self.database.transaction() as transaction:
            rows = await transaction.raw.fetch(
                "delete from outbox where topic = $1 returning slot, id, body", PURCHASES.topic
            )
        return [PURCHASES.read(row["body"]) for row in sorted(rows, key=lambda row: (row["slot"], row["id"]))]


@asynccontextmanager
async def begun_accrual(
    database: FreshDatabase, *rule_sets: RuleSet, zone: tzinfo | None = None
) -> AsyncIterator[Accrual]:
    """Accrual of a coalition with these rule sets, or the usual one; its connections are closed at the end."""
    accrual = Accrual(Database(database.url(role_name("accrual")), zone=zone))
    first, *later = rule_sets or (RULES,)
    await accrual.begin(rule_set=first)
    await accrual.publish(*later)
    try:
        yield accrual
    finally:
        await accrual.database.close()


async def published_before(transaction: Transaction, rule_set: RuleSet) -> None:
    """A version that was published long ago, by two people of whom nothing else is known."""
    await transaction.raw.execute(
        """
        insert into rule_sets (
            rule_set_id, document, state, authors, revision, drafted_at, approved_by, approved_at, version,
            effective_from, published_by, published_at
        )
        values ($1, $2, 'published', '{alice}', 4, $3, 'bob', $3, $4, $3, 'bob', $3)
        """,
        new_id(),
        rule_set.model_dump_json(exclude={"version", "effective_from"}),
        rule_set.effective_from,
        rule_set.version,
    )


def coalition_events(partner_id: str) -> list[PartnerChanged | StoreChanged | TillChanged]:
    """A partner with one store and two tills."""
    envelope = {"source": "test", "subject": partner_id, "time": NOON}
    partner = PartnerData(partner_id=partner_id, version=1, name=partner_id.title(), state="active")
    store = StoreData(partner_id=partner_id, store_id="s1", version=1, name="First", time_zone="America/New_York")
    tills = [
        TillData(
            partner_id=partner_id,
            store_id="s1",
            till_id=till_id,
            version=1,
            key_scheme="sequence",
            key_sha256=f"{ord(partner_id[0]):062x}{int(till_id):02x}",
        )
        for till_id in ("1", "2")
    ]
    return [
        PartnerChanged(id=new_id(), data=partner, **envelope),
        StoreChanged(id=new_id(), data=store, **envelope),
        *(TillChanged(id=new_id(), data=till, **envelope) for till in tills),
    ]
