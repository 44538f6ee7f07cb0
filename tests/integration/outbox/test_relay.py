"""The relay on a real database and broker: every row, in order per key, whatever commits late or dies early."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import pytest

from shared import outbox
from shared.database import Database
from shared.kafka import KafkaSettings
from shared.outbox import Message, Relay
from shared.outbox.ddl import SLOTS
from shared.outbox.metrics import SENT_AGAIN
from tests.support.consuming import TOPIC, read_all, refusal
from tests.support.databases import FreshDatabase
from tests.support.until import WAIT_SECONDS_MAX, until

SERVICE = "members"
DatabaseOf = Callable[[str], Database]


def message(key: int, number: int) -> Message:
    return Message.of(refusal(number), TOPIC, f"key-{key}", (("number", str(number).encode()),))


async def record(database: Database, messages: Sequence[Message]) -> None:
    async with database.transaction() as transaction:
        await outbox.record(transaction, messages)


@asynccontextmanager
async def relaying(database: Database, settings: KafkaSettings, *instances: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(Relay(database, settings, instance).run(stop)) for instance in instances]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), WAIT_SECONDS_MAX)


async def until_empty(database: Database) -> None:
    await until_true(database, "select not exists (select from outbox)")


async def until_true(database: Database, question: str) -> None:
    async with database.statements() as connection:
        await until(lambda: connection.fetchval(question))


async def numbers_by_key(settings: KafkaSettings) -> dict[str, list[int]]:
    """What stands in the topic, by key, in its order."""
    found: dict[str, list[int]] = {}
    for sent in await read_all(settings, TOPIC):
        found.setdefault(sent.key.decode(), []).append(int(dict(sent.headers)["number"]))
    return found


async def all_are_sent(settings: KafkaSettings, count: int) -> bool:
    return len(await read_all(settings, TOPIC)) >= count


def without_repetitions(numbers: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


async def test_rows_bear_rising_ids_in_the_order_given(database_of: DatabaseOf) -> None:
    database = database_of(SERVICE)
    await record(database, [message(1, number) for number in range(2_000)])
    async with database.statements() as connection:
        rows = await connection.fetch("select headers from outbox order by id")
    assert [int(row["headers"].split(b"\0")[-1]) for row in rows] == list(range(2_000))


async def test_an_effect_that_rolls_back_leaves_no_event(database_of: DatabaseOf) -> None:
    database = database_of(SERVICE)

    async def change_its_mind() -> None:
        async with database.transaction() as transaction:
            await outbox.record(transaction, [message(1, 1)])
            raise RuntimeError("changed its mind")

    with pytest.raises(RuntimeError, match="changed its mind"):
        await change_its_mind()
    await until_empty(database)


async def test_every_row_goes_out_once_and_in_order_of_its_key(
    database_of: DatabaseOf, kafka_settings: KafkaSettings
) -> None:
    database = database_of(SERVICE)
    async with relaying(database, kafka_settings, "members-1"):
        for start in range(0, 4_000, 500):
            await record(database, [message(number % 40, number) for number in range(start, start + 500)])
        await until_empty(database)
    found = await numbers_by_key(kafka_settings)
    assert found == {f"key-{key}": list(range(key, 4_000, 40)) for key in range(40)}
    sent = (await read_all(kafka_settings, TOPIC))[0]
    assert {"type", "id", "number"} <= dict(sent.headers).keys()


async def test_two_relays_and_a_late_commit_send_every_row_once(
    database_of: DatabaseOf, kafka_settings: KafkaSettings
) -> None:
    """The transaction that took its ids first commits last, when later ids are long gone."""
    database = database_of(SERVICE)
    async with relaying(database, kafka_settings, "members-1", "members-2"):
        async with database.transaction() as late:
            # A service's transaction may not last that long; this one stands for the unlucky few.
            await late.raw.execute(
                "set local idle_in_transaction_session_timeout = 0; set local transaction_timeout = 0"
            )
            await outbox.record(late, [message(key, key) for key in range(100)])
            await record(database, [message(key, 1_000 + key) for key in range(100, 200)])
            await until_empty(database)
        await record(database, [message(key, 2_000 + key) for key in range(200)])
        await until_empty(database)
    found = await numbers_by_key(kafka_settings)
    assert found == {
        **{f"key-{key}": [key, 2_000 + key] for key in range(100)},
        **{f"key-{key}": [1_000 + key, 2_000 + key] for key in range(100, 200)},
    }


async def test_relays_share_the_slots_and_take_over_from_each_other(
    database_of: DatabaseOf, kafka_settings: KafkaSettings
) -> None:
    database = database_of(SERVICE)
    holding = "select (select count(*) from outbox_slots where owner = '{}' and until > clock_timestamp()) = {}"
    async with relaying(database, kafka_settings, "members-2"):
        async with relaying(database, kafka_settings, "members-1"):
            await until_true(database, holding.format("members-1", SLOTS // 2))
            await until_true(database, holding.format("members-2", SLOTS // 2))
        await until_true(database, holding.format("members-2", SLOTS))


async def test_a_relay_that_dies_between_acknowledgement_and_delete_loses_nothing(
    fresh_database: FreshDatabase, database_of: DatabaseOf, kafka_settings: KafkaSettings
) -> None:
    """Its rows are sent twice, which consumers drop by event id; the order of first appearances stays."""
    database = database_of(SERVICE)
    await record(database, [message(number % 10, number) for number in range(200)])
    admin = await asyncpg.connect(fresh_database.admin_url)
    try:
        async with admin.transaction():
            await admin.execute(f"lock table {SERVICE}.outbox in share mode")  # reading goes on, deleting waits
            first = asyncio.create_task(Relay(database, kafka_settings, "members-1").run(asyncio.Event()))
            await until(lambda: all_are_sent(kafka_settings, 200))
            first.cancel()
            await asyncio.wait((first,))
    finally:
        await admin.close()
    await record(database, [message(number % 10, number) for number in range(200, 300)])
    async with relaying(database, kafka_settings, "members-1"):  # restarted under its name: no lease to wait for
        await until_empty(database)
    found = await numbers_by_key(kafka_settings)
    assert {key: without_repetitions(numbers) for key, numbers in found.items()} == {
        f"key-{key}": list(range(key, 300, 10)) for key in range(10)
    }
    assert sum(map(len, found.values())) >= 500


async def test_a_broker_that_is_away_ends_nothing(
    database_of: DatabaseOf, kafka_settings: KafkaSettings, unused_tcp_port: int
) -> None:
    database = database_of(SERVICE)
    await record(database, [message(1, 1)])
    away = KafkaSettings(f"127.0.0.1:{unused_tcp_port}", kafka_settings.topic_prefix)
    before = SENT_AGAIN.labels("unavailable")._value.get()
    async with relaying(database, away, "members-1"):
        await until(lambda: SENT_AGAIN.labels("unavailable")._value.get() >= before + 4)
    async with relaying(database, kafka_settings, "members-1"):
        await until_empty(database)
    assert await numbers_by_key(kafka_settings) == {"key-1": [1]}


async def test_a_connection_that_the_server_ends_is_opened_again(
    fresh_database: FreshDatabase, database_of: DatabaseOf, kafka_settings: KafkaSettings
) -> None:
    database = database_of(SERVICE)
    cut = """
        select count(pg_terminate_backend(pid))
        from pg_stat_activity
        where usename = 'tessera_members' and datname = current_database()
    """
    admin = await asyncpg.connect(fresh_database.admin_url)

    async def was_sent(settings: KafkaSettings, number: int) -> bool:  # others may have been sent twice meanwhile
        return number in (await numbers_by_key(settings)).get("key-1", ())

    async def has_cut_one() -> bool:  # it may just be without one: it has been cut a moment ago
        return bool(await admin.fetchval(cut))

    try:
        async with relaying(database, kafka_settings, "members-1"):
            for number in range(3):
                writer = Database(fresh_database.url("tessera_members"))
                await record(writer, [message(1, number)])
                await writer.close()
                await until(partial(was_sent, kafka_settings, number))
                await until(has_cut_one)
    finally:
        await admin.close()
    found = await numbers_by_key(kafka_settings)
    assert without_repetitions(found["key-1"]) == [0, 1, 2]
