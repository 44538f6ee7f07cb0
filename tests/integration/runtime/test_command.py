"""The command that is a service, as an operator meets it: signals, exit codes, messages."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import orjson
import pytest

from shared.kafka import KafkaSettings
from shared.runtime.process import EXIT_CANNOT_START, STOP_SECONDS_MAX
from shared.runtime.run import EXIT_WRONG_SETTINGS
from tests.support.databases import FreshDatabase
from tests.support.small_service import SERVICE
from tests.support.until import WAIT_SECONDS_MAX

SECRET = "11" * 32


@pytest.fixture
def environment(fresh_database: FreshDatabase, kafka_settings: KafkaSettings) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "TESSERA_DATABASE_URL": fresh_database.url(f"tessera_{SERVICE}"),
        "TESSERA_KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers,
        "TESSERA_TOPIC_PREFIX": kafka_settings.topic_prefix,
        "TESSERA_HTTP_PORT": "0",
        "TESSERA_IDENTIFIER_KEY": SECRET,
    }


@dataclass(frozen=True, slots=True)
class Command:
    """A service as a process of its own."""

    process: asyncio.subprocess.Process

    async def line(self, event: str) -> dict[str, object]:
        """The first log line about this event from here on."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while raw := await self.process.stdout.readline():
                line: dict[str, object] = orjson.loads(raw)
                if line["event"] == event:
                    return line
        raise AssertionError(f"it ended without a line about {event!r}")

    async def ended(self) -> tuple[int, str, str]:
        """Exit code, what is left of standard output, and standard error."""
        async with asyncio.timeout(STOP_SECONDS_MAX + WAIT_SECONDS_MAX):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def started(environment: Mapping[str, str], *arguments: str) -> AsyncIterator[Command]:
    """The command, killed at the end of the block if it still lives."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.small_service",
        *arguments,
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Command(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_in_order(environment: dict[str, str], number: signal.Signals) -> None:
    async with started(environment, "--role", "both") as command:
        line = await command.line("started")
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{line['port']}/health/live")
        command.process.send_signal(number)
        code, out, err = await command.ended()

    assert (answer.status_code, code, err) == (200, 0, "")
    assert (line["service"], line["role"], line["instance"]) == (SERVICE, "both", f"{SERVICE}-1")
    (stopped,) = (found for found in map(orjson.loads, out.splitlines()) if found["event"] == "stopped")
    assert stopped["in_time"] is True


async def test_wrong_settings_are_named_and_explained_and_not_shown(environment: dict[str, str]) -> None:
    del environment["TESSERA_DATABASE_URL"]
    environment |= {
        "TESSERA_IDENTIFIER_KEY": "not-hex-hunter2",
        "TESSERA_HTTP_PORT": "many",
        "TESSERA_CURRENCY": "EURO",
    }

    async with started(environment) as command:
        code, out, err = await command.ended()

    assert (code, out) == (EXIT_WRONG_SETTINGS, "")
    lines = err.splitlines()
    assert lines[0] == f"{SERVICE}: wrong settings"
    assert {line.partition(":")[0] for line in lines[1:]} == {
        "TESSERA_DATABASE_URL",
        "TESSERA_IDENTIFIER_KEY",
        "TESSERA_HTTP_PORT",
        "TESSERA_CURRENCY",
    }
    assert "TESSERA_DATABASE_URL: is not set. PostgreSQL, as the service's own role" in err
    assert "TESSERA_IDENTIFIER_KEY: it must be 64 hex digits." in err
    assert "hunter2" not in err
    assert "Traceback" not in err


async def test_a_taken_port_is_named(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with started(environment | {"TESSERA_HTTP_PORT": str(port)}) as command:
            line = await command.line("cannot start")
            code, _, _ = await command.ended()

    assert code == EXIT_CANNOT_START
    assert f"127.0.0.1:{port}" in str(line["reason"])
    assert "TESSERA_HTTP_PORT" in str(line["reason"])


async def test_a_wrong_password_is_not_waited_for(environment: dict[str, str]) -> None:
    url = environment["TESSERA_DATABASE_URL"]
    environment["TESSERA_DATABASE_URL"] = url.replace(f"tessera_{SERVICE}:", f"tessera_{SERVICE}:hunter2")

    async with started(environment) as command:
        line = await command.line("cannot start")
        code, out, _ = await command.ended()

    assert code == EXIT_CANNOT_START
    assert "check TESSERA_DATABASE_URL" in str(line["reason"])
    assert "hunter2" not in out + str(line)


async def test_a_signal_ends_the_wait_for_a_database_that_is_away(environment: dict[str, str]) -> None:
    environment["TESSERA_DATABASE_URL"] = "postgresql://tessera_x:x@127.0.0.1:1/tessera"

    async with started(environment) as command:
        await command.line("waiting for the database")
        command.process.send_signal(signal.SIGTERM)
        code, _, _ = await command.ended()

    assert code == 0
