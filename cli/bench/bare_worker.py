"""The bare pipeline: the least that any pipeline of this kind must do, as fast as we can do it.

Real Kafka, pydantic decoding, one set-based statement with receipt, transfer, lot, balance and outbox, offsets after
the commit, and the relay that deletes after the ack. No claims, no rules, no locks in order, no traces: what the full
pipeline costs beyond this is what its guarantees cost. Runs as a process of its own, like a worker of accrual.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.database import Database
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseRecorded
from shared.kafka.security import KafkaSecurity
from shared.kafka.settings import KafkaSettings
from shared.outbox import Relay
from shared.outbox.recording import slot_of
from shared.receipt_key import natural_key_of
from shared.runtime.run import GC_THRESHOLDS

TOPIC = "bench.purchases"
GROUP = "bench.bare"
RECORDS_MAX = 1_000
POLL_MS = 100

DDL = (
    "create schema if not exists bench",
    """create table if not exists bench.receipts (
        natural_key bytea primary key, member_id uuid not null, points bigint not null, body bytea not null)""",
    "create table if not exists bench.transfers (natural_key bytea, member_id uuid, points bigint)",
    "create table if not exists bench.lots (member_id uuid primary key, remaining bigint) with (fillfactor = 80)",
    "create table if not exists bench.balances (member_id uuid primary key, available bigint) with (fillfactor = 80)",
)

STATEMENT = """
    with incoming as materialized (
        select * from unnest($1::bytea[], $2::uuid[], $3::bigint[], $4::bytea[], $5::smallint[])
            as incoming (natural_key, member_id, points, body, slot)
    ), fresh as (
        insert into bench.receipts (natural_key, member_id, points, body)
        select natural_key, member_id, points, body from incoming order by natural_key
        on conflict do nothing returning natural_key, member_id, points
    ), posted as (
        insert into bench.transfers select natural_key, member_id, points from fresh
    ), summed as (
        select member_id, sum(points)::bigint as points from fresh group by member_id order by member_id
    ), lots as (
        insert into bench.lots select member_id, points from summed
        on conflict (member_id) do update set remaining = bench.lots.remaining + excluded.remaining
    ), balances as (
        insert into bench.balances select member_id, points from summed
        on conflict (member_id) do update set available = bench.balances.available + excluded.available
    )
    insert into outbox (slot, topic, key, headers, body)
    select incoming.slot, 'bench.points', incoming.member_id::text, $6, incoming.body
    from incoming join fresh using (natural_key)
"""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A batch as the statement takes it, and the offsets behind it."""

    columns: tuple[list[bytes], list[object], list[int], list[bytes], list[int]]
    offsets: dict[TopicPartition, int]


def decode(records: Sequence[ConsumerRecord]) -> Decoded:
    """Read every event and give a point a dollar."""
    keys: list[bytes] = []
    members: list[object] = []
    points: list[int] = []
    bodies: list[bytes] = []
    slots: list[int] = []
    offsets: dict[TopicPartition, int] = {}
    for record in records:
        event = PURCHASES.read(record.value)
        if not isinstance(event, PurchaseRecorded) or event.data.member_id is None:
            raise TypeError("the workload holds purchases of members only")
        keys.append(natural_key_of(event.data.receipt_id))
        members.append(event.data.member_id)
        points.append(sum(line.amount_minor for line in event.data.lines) // 100)
        bodies.append(record.value)
        slots.append(slot_of(str(event.data.member_id)))
        offsets[TopicPartition(record.topic, record.partition)] = record.offset + 1
    return Decoded((keys, members, points, bodies, slots), offsets)


async def consume(database: Database, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
    """Work until told to stop; the next batch is fetched and read while the database works on the one before."""
    in_flight: asyncio.Task[None] | None = None
    while not stop.is_set():
        fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
        records = [record for own in fetched.values() for record in own]
        batch = decode(records) if records else None
        if in_flight is not None:
            await in_flight
        in_flight = asyncio.create_task(_store(database, consumer, batch)) if batch is not None else None
    if in_flight is not None:
        await in_flight


async def _store(database: Database, consumer: AIOKafkaConsumer, batch: Decoded) -> None:
    async with database.transaction() as transaction:
        await transaction.raw.execute(STATEMENT, *batch.columns, b"")
    await consumer.commit(batch.offsets)


async def run(database_url: str, kafka: KafkaSettings, instance: str) -> None:
    """One worker with its relay, until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = Database(database_url)
    consumer = AIOKafkaConsumer(
        kafka.wire_name(TOPIC),
        **kafka.client_arguments(),
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=1_048_576,
    )
    await consumer.start()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(Relay(database, kafka, instance).run(stop))
            group.create_task(consume(database, consumer, stop))
    finally:
        await consumer.stop()
        await database.close()


def main() -> None:
    """``python -m cli.bench.bare_worker <bootstrap servers> <partitions> <instance>``, the database by environment."""
    bootstrap_servers, partitions, instance = sys.argv[1:]
    kafka = KafkaSettings(
        bootstrap_servers, partitions=int(partitions), security=KafkaSecurity.of_environment(os.environ)
    )
    gc.freeze()  # as the services do
    gc.set_threshold(*GC_THRESHOLDS)
    uvloop.run(run(os.environ["TESSERA_DATABASE_URL"], kafka, instance))


if __name__ == "__main__":
    main()
