"""Starting, stopping, resuming: on servers of its own, since the shared ones must stay."""

import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.stack import LocalStack
from tests.support.small_stack import small_config

TOPIC = "loyalty.purchases"
GONE_SECONDS_MAX = 60.0
START_SECONDS_MAX = 120.0

SUPERVISOR = """
import sys
from pathlib import Path
from deploy.local.stack import LocalStack
from tests.support.small_stack import small_config
with LocalStack(small_config(Path(sys.argv[1])), fleet=()) as stack:
    print("up", flush=True)
    sys.stdin.read()
"""


@asynccontextmanager
async def connected(stack: LocalStack) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(stack.admin_url)
    try:
        yield connection
    finally:
        await connection.close()


async def write(stack: LocalStack, value: bytes) -> None:
    async with connected(stack) as connection:
        await connection.execute("create table if not exists kept (value bytea)")
        await connection.execute("insert into kept values ($1)", value)
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, value)
    finally:
        await producer.stop()


async def read_rows(stack: LocalStack) -> list[bytes]:
    async with connected(stack) as connection:
        return [row["value"] for row in await connection.fetch("select value from kept order by value")]


async def read_records(stack: LocalStack, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return sorted([(await consumer.getone()).value for _ in range(count)])
    finally:
        await consumer.stop()


async def test_a_second_start_resumes_the_data_also_after_a_crash_and_on_other_ports(tmp_path: Path) -> None:
    async with LocalStack(small_config(tmp_path), fleet=()) as stack:
        await write(stack, b"clean")
    async with LocalStack(small_config(tmp_path), fleet=()) as stack:
        await write(stack, b"crash")
        stack.kill_postgres()
        stack.kill_kafka()
    async with LocalStack(small_config(tmp_path), fleet=()) as stack:
        assert await read_rows(stack) == [b"clean", b"crash"]
        assert await read_records(stack, 2) == [b"clean", b"crash"]


async def use_as_given(host: LocalStack, state_dir: Path) -> None:
    """A stack on servers that it was given uses them, and leaves them running."""
    config = replace(
        small_config(state_dir), database_url=host.admin_url, kafka_bootstrap_servers=host.bootstrap_servers
    )
    async with LocalStack(config, fleet=()) as guest:
        assert guest.admin_url == host.admin_url
        assert not (state_dir / "postgres").exists()
        with pytest.raises(StackError, match="given"):
            guest.restart_kafka()


async def test_two_stacks_run_side_by_side_or_on_given_servers_but_not_on_one_folder(tmp_path: Path) -> None:
    async with LocalStack(small_config(tmp_path / "one"), fleet=()) as one:
        async with LocalStack(small_config(tmp_path / "two"), fleet=()) as two:
            await write(one, b"one")
            await write(two, b"two")
            assert await read_rows(one) == [b"one"]
            assert await read_records(two, 1) == [b"two"]
        await use_as_given(one, tmp_path / "guest")
        with pytest.raises(StackError, match=r"(?s)running already.*TESSERA_STATE_DIR"):
            LocalStack(small_config(tmp_path / "one"), fleet=()).start()
        assert await read_rows(one) == [b"one"]


def test_a_taken_port_ends_the_start_before_anything_runs(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    with socket.socket() as listener:
        listener.bind((HOST, config.ports.kafka))
        listener.listen()
        with pytest.raises(StackError, match=rf"(?s){config.ports.kafka}  for Kafka.*TESSERA_PORT_OFFSET"):
            LocalStack(config, fleet=()).start()
    assert not (tmp_path / "postgres").exists()


def test_given_servers_that_are_not_there_are_named(tmp_path: Path) -> None:
    nowhere = replace(
        small_config(tmp_path),
        database_url="postgresql://owner:secret@127.0.0.1:1/tessera",
        kafka_bootstrap_servers="127.0.0.1:1",
    )
    with pytest.raises(StackError, match=r"127\.0\.0\.1:1 could not be migrated") as refusal:
        LocalStack(nowhere, fleet=()).start()
    assert "secret" not in str(refusal.value)


def test_nothing_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert supervisor.stdout is not None
    assert supervisor.stdin is not None
    try:
        assert supervisor.stdout.readline() == b"up\n"
        children = psutil.Process(supervisor.pid).children(recursive=True)
        names = {child.name() for child in children}
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
    finally:
        supervisor.kill()
        supervisor.stdin.close()
        supervisor.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=GONE_SECONDS_MAX)
    assert {"postgres", "java"} <= names
    assert not alive
