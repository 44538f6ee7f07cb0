"""Fraud on a real database: records go into its handlers by hand, what it tells is read from its outbox."""

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

import httpx2
import orjson

from services.fraud.app import build
from services.fraud.consumer import CoalitionHandler, PointsHandler, PurchaseHandler
from services.fraud.domain.rule_set import ACTIVE_RULE_SET
from services.fraud.settings import FraudSettings
from shared.clock import BusinessClock
from shared.database import Database, Transaction
from shared.events.catalogue import COALITION, FRAUD, POINTS, PURCHASES
from shared.events.coalition import OperatorChanged, TillChanged
from shared.events.envelope import Event
from shared.events.fraud import FraudEvent
from shared.events.points import ReceiptMoved
from shared.events.purchases import PurchaseEvent
from shared.kafka import Batch, ReadPosition, Record
from shared.runtime.context import ServiceContext
from shared.web import Authenticator, StaticKeySource, create_app
from tests.support.outbox_rows import recorded_events
from tests.support.registries import ISSUER, REQUIRED, SIGNER

E = TypeVar("E", bound=Event)

_WAITS = """
    select exists (
        select 1 from pg_locks join pg_stat_activity using (pid)
        where datname = current_database() and not granted
    )
"""

ZONE = ZoneInfo("UTC")  # as the days of the receipts that tests make


@dataclass(frozen=True)
class Scoring:
    """One worker's view of fraud's database."""

    database: Database

    async def take(self, *purchases: PurchaseEvent) -> None:
        """Handle purchases as one batch."""
        handler = PurchaseHandler(self.database, ACTIVE_RULE_SET, ZONE)
        await handler.handle(batch_of(purchases, PURCHASES.topic))

    async def follow(self, *moves: ReceiptMoved) -> None:
        """Handle moves of receipts as one batch."""
        await PointsHandler(self.database, ACTIVE_RULE_SET).handle(batch_of(moves, POINTS.topic))

    async def register(self, *changes: TillChanged | OperatorChanged) -> None:
        """Handle changes of tills and operators as one batch."""
        await CoalitionHandler(self.database).handle(batch_of(changes, COALITION.topic))

    async def told(self) -> list[FraudEvent]:
        """What the outbox holds, in its order."""
        return [recorded.event for recorded in await recorded_events(self.database, FRAUD)]

    async def left(self) -> dict[str, list[tuple[object, ...]]]:
        """What is in the tables, without ids, times of deciding and the order of rows."""
        statements = {
            "decisions": "select receipt_key, member_id, action, rule_set_version, outcomes::text from decisions",
            "windows": "select * from window_receipts",
            "cases": "select opened_by, member_id, operator_hash, state, version, receipts from cases",
            "signals": "select receipt_key, rule_code, observed, threshold, window_label from signals",
            "holds": "select h.receipt_key, h.version, h.action, c.opened_by from holds h join cases c using (case_id)",
        }
        async with self.database.transaction() as transaction:
            return {
                name: sorted((tuple(row) for row in await transaction.raw.fetch(statement)), key=repr)
                for name, statement in statements.items()
            }

    async def waits_for_a_lock(self) -> bool:
        """Whether anybody in this database waits for somebody else's transaction."""
        async with self.database.transaction() as transaction:
            return bool(await transaction.raw.fetchval(_WAITS))

    async def decided(self) -> dict[bytes, tuple[str, dict[str, tuple[str, tuple[int, ...]]]]]:
        """Decisions in the form of ``tests.support.fraud.final_decisions``."""
        async with self.database.transaction() as transaction:
            rows = await transaction.raw.fetch("select receipt_key, action, outcomes::text from decisions")
        return {
            row["receipt_key"]: (
                row["action"],
                {
                    code: (result, tuple(observed))
                    for code, (result, observed, *_) in orjson.loads(row["outcomes"]).items()
                },
            )
            for row in rows
        }


def batch_of(events: Sequence[E], topic: str) -> Batch[E]:
    """Events as the consumer hands them over, from one partition."""
    records = tuple(
        Record(event=event, topic=topic, partition=0, offset=offset, key=None, body=b"", headers={})
        for offset, event in enumerate(events)
    )
    return Batch(records, (ReadPosition(topic, 0, len(events), None),))


def cut(stream: Sequence[PurchaseEvent], chance: random.Random) -> Iterable[Sequence[PurchaseEvent]]:
    """The stream in pieces of random sizes."""
    begin = 0
    while begin < len(stream):
        end = begin + chance.randint(1, max(1, len(stream) // 3))
        yield stream[begin:end]
        begin = end


async def be_patient(transaction: Transaction) -> None:
    """For a transaction that a test holds open: a busy machine must not end it."""
    for limit in ("idle_in_transaction_session_timeout", "transaction_timeout"):
        await transaction.raw.execute(f"set local {limit} = '60s'")


@asynccontextmanager
async def fraud_client(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """Fraud's routes, called in process; tokens are those of ``tests.support.registries``."""
    settings = FraudSettings.model_validate(REQUIRED)
    authenticator = Authenticator(StaticKeySource(SIGNER.public_jwks()), issuer=ISSUER)
    await authenticator.refresh()
    async with database.transaction() as transaction:
        clock = BusinessClock(transaction.now)
    wiring = await build(
        ServiceContext(
            service="fraud",
            role="api",
            instance="fraud-1",
            settings=settings,
            database=database,
            clock=clock,
            authenticator=authenticator,
            kafka=settings.kafka,
        )
    )
    for step in wiring.on_start:
        await step()
    app = create_app(
        title="test",
        authenticator=authenticator,
        routers=wiring.routers,
        domain_problems=wiring.domain_problems,
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
