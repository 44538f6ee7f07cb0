"""A process of a service: what runs in which role, what ends it, and how it stops."""

import asyncio
import re
import socket
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.kafka import ConsumerLimits, KafkaSettings
from shared.outbox import Message, record
from shared.runtime import Periodic
from shared.runtime.process import EXIT_CANNOT_START, EXIT_DIED
from tests.support.consuming import Remembering, outgoing, refusal, send
from tests.support.databases import FreshDatabase
from tests.support.small_service import SERVICE, Running, SmallService, settings_for
from tests.support.until import until


@pytest.fixture
def service(fresh_database: FreshDatabase, kafka_settings: KafkaSettings) -> SmallService:
    return SmallService(settings_for(fresh_database.url(f"tessera_{SERVICE}"), kafka_settings))


async def get(running: Running, path: str, token: str | None = None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    async with httpx2.AsyncClient(trust_env=False) as client:
        return await client.get(running.url + path, headers=headers)


async def is_ready(running: Running) -> bool:
    return (await get(running, "/health/ready")).status_code == 200


async def test_both_roles_in_one_process(service: SmallService, database_of: Callable[[str], Database]) -> None:
    passes = 0

    async def count() -> None:
        nonlocal passes
        passes += 1

    service.periodic = (Periodic("count", 0.01, count),)
    database = database_of(SERVICE)
    async with service.running("both") as running:
        await until(lambda: is_ready(running))
        assert (await get(running, "/v1/who", service.issuer.token("messages:read"))).json() == "client-1"
        assert (await get(running, "/v1/who")).status_code == 401

        async with database.transaction() as transaction:
            await record(transaction, [Message.of(refusal(1), "loyalty.points", "key-1")])
        await until(lambda: service.handler.taken == [1])  # through the outbox, the relay, the topic, the consumer
        await until(lambda: passes >= 3)
        metrics = (await get(running, "/metrics")).text
        running.stop.set()
        assert await running.exit_code() == 0

    assert re.search(r'tessera_periodic_passes_total\{outcome="done",work="count"\} [1-9]', metrics)
    assert re.search(r"tessera_clock_readings_total\{outcome=\"done\"\} [1-9]", metrics)
    assert service.told == ["started", "stopped first", "stopped last"]


async def test_an_api_reads_no_topics_and_a_worker_has_no_routes(
    service: SmallService, kafka_settings: KafkaSettings
) -> None:
    passes: list[str] = []

    async def worker_only() -> None:
        passes.append("worker")

    async def everywhere() -> None:
        passes.append("every role")

    service.periodic = (
        Periodic("worker only", 0.01, worker_only),
        Periodic("everywhere", 0.01, everywhere, in_every_role=True),
    )
    await send(kafka_settings, [outgoing(1)])
    async with service.running("api") as running:
        await until(lambda: is_ready(running))
        await until(lambda: len(passes) >= 3)
        assert (await get(running, "/v1/who")).status_code == 401
        assert set((await get(running, "/health/ready")).json()["checks"]) == {"database", "token_keys"}
    assert (service.handler.taken, set(passes)) == ([], {"every role"})

    async with service.running("worker") as running:
        await until(lambda: service.handler.taken == [1])
        assert (await get(running, "/v1/who")).status_code == 404
        assert (await get(running, "/health/live")).status_code == 200
        await until(lambda: is_ready(running))
        assert set((await get(running, "/health/ready")).json()["checks"]) == {"database", "kafka"}


async def test_a_consumer_that_stops_for_good_ends_the_process(
    service: SmallService, kafka_settings: KafkaSettings
) -> None:
    service.handler = Remembering(poison=frozenset(range(10)))
    service.limits = ConsumerLimits(dead_letters_in_a_row_max=3)
    await send(kafka_settings, [outgoing(number) for number in range(10)])

    async with service.running("both") as running:
        assert await running.exit_code() == EXIT_DIED

    assert service.told == ["started", "stopped first", "stopped last"]
    with pytest.raises(httpx2.ConnectError):
        await get(running, "/health/live")


async def test_a_relay_without_its_table_ends_the_process(service: SmallService, fresh_database: FreshDatabase) -> None:
    connection = await asyncpg.connect(fresh_database.admin_url)
    await connection.execute(f"drop table {SERVICE}.outbox")
    await connection.close()

    async with service.running("worker") as running:
        assert await running.exit_code() == EXIT_DIED


async def test_the_batch_in_hand_is_finished_before_the_end_and_not_read_again(
    service: SmallService, kafka_settings: KafkaSettings
) -> None:
    is_inside, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: object) -> None:
        is_inside.set()
        await may_go_on.wait()

    service.handler.before_handling = wait
    await send(kafka_settings, [outgoing(1)])
    async with service.running("worker") as running:
        await is_inside.wait()
        running.stop.set()
        with pytest.raises(httpx2.ConnectError):  # HTTP ends first
            await until(lambda: _refused(running))
        assert service.handler.taken == []
        may_go_on.set()
        assert await running.exit_code() == 0
    assert service.handler.taken == [1]

    service.handler.before_handling = None
    await send(kafka_settings, [outgoing(2)])
    async with service.running("worker"):
        await until(lambda: 2 in service.handler.taken)
    assert service.handler.taken == [1, 2]


async def _refused(running: Running) -> bool:
    """Raises the refusal once nobody listens. A connection that was taken just before the end is cut, which is none."""
    with suppress(httpx2.RemoteProtocolError, httpx2.ReadError):
        await get(running, "/health/live")
    return False


async def test_a_request_under_way_is_answered_before_the_end(service: SmallService) -> None:
    async with service.running("api") as running:
        await until(lambda: is_ready(running))
        asked = asyncio.create_task(get(running, "/v1/slow", service.issuer.token("messages:read")))
        await service.is_asked.wait()
        running.stop.set()
        with pytest.raises(httpx2.ConnectError):  # nobody else is let in
            await until(lambda: _refused(running))
        service.may_answer.set()
        assert (await asked).json() == "client-1"
        assert await running.exit_code() == 0


async def test_business_time_follows_the_database(service: SmallService, fresh_database: FreshDatabase) -> None:
    async with service.running("worker"):
        assert service.context is not None
        clock, before = service.context.clock, service.context.clock.now()
        connection = await asyncpg.connect(fresh_database.admin_url)
        await connection.execute("insert into platform.business_clock (clock_offset) values (interval '40 days')")
        await connection.close()

        await until(lambda: (clock.now() - before).days >= 40)


async def test_periodic_work_that_fails_is_tried_again_and_ends_nothing(service: SmallService) -> None:
    tries = 0

    async def fail_twice() -> None:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise ConnectionResetError("away")

    async def hang() -> None:
        await asyncio.Event().wait()

    service.periodic = (Periodic("fails twice", 0.01, fail_twice), Periodic("hangs", 0.01, hang, pass_seconds_max=0.05))
    async with service.running("worker") as running:
        await until(lambda: tries >= 4)
        metrics = (await get(running, "/metrics")).text
        running.stop.set()
        assert await running.exit_code() == 0

    assert 'tessera_periodic_passes_total{outcome="failed",work="fails twice"} 2.0' in metrics
    assert re.search(r'tessera_periodic_passes_total\{outcome="late",work="hangs"\} [1-9]', metrics)


async def test_a_start_that_fails_closes_what_was_opened(service: SmallService) -> None:
    async def fail() -> None:
        raise RuntimeError("cannot load")

    service.on_start = (fail,)
    async with service.running("both") as running:
        assert await running.exit_code() == EXIT_CANNOT_START

    assert service.told == ["started", "stopped first", "stopped last"]
    with socket.create_server(("127.0.0.1", running.process.port)):
        pass  # the port is free again
