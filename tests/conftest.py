"""Fixtures on real servers. A run that needs none of them starts none."""

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from shared.database import Database
from shared.database.roles import role_name
from shared.runtime.run import GC_THRESHOLDS
from shared.telemetry.logs import configure_logs
from tests.support.certificates import Certificates, made_certificates
from tests.support.databases import FreshDatabase, drop_spare_databases, made_database
from tests.support.servers import (
    CONTROLLER_VARIABLE,
    GIVEN_STACK_VARIABLE,
    RUN_DIR_VARIABLE,
    TestServers,
    shared_servers,
    stop_shared_servers,
)
from tests.support.topics import TEST_PARTITIONS, made_topics

if TYPE_CHECKING:
    from deploy.local.stack import LocalStack
    from shared.kafka.settings import KafkaSettings

# How long an example takes says more about the machine than about the code: durations are for "make bench".
hypothesis.settings.register_profile("tessera", deadline=None)
hypothesis.settings.load_profile("tessera")


# Where a run's servers keep their data. Copying a database of a thousand small files takes 25 ms in memory and several
# hundred on a disk, and hardly a test does without; nobody reads any of it after the run.
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108
MEMORY_FREE_BYTES_MIN = 4 * 2**30


# Files whose tests take ten seconds and more each.
LONGEST_FIRST = ("tests/integration/web/test_schemathesis.py", "tests/integration/stack/test_lifecycle.py")


def _servers_folder() -> Path | None:
    """In memory where there is room, else where temporary files go."""
    if MEMORY_FOLDER.is_dir() and shutil.disk_usage(MEMORY_FOLDER).free >= MEMORY_FREE_BYTES_MIN:
        return MEMORY_FOLDER
    return None


def _is_controller(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without the garbage collector: all that is made then stays, and to go through it again and again
    takes a sixth of the time. Later it works as in the services.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.set_threshold(*GC_THRESHOLDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that in the end no worker waits for another's."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST_FIRST))


def pytest_collection_finish() -> None:
    """Take what is collected out of the garbage collector's sight: half a million objects that stay to the end.

    Going through them takes most of a second, and the servers end a transaction that stands idle for a whole one.
    """
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """The same after each file of tests: what a run keeps (reports, modules, examples) grows to as much again."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect(1)
        gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """The run's folder, by which its workers find each other's servers; logs as in production."""
    configure_logs(service="tests", role="both")
    if _is_controller(config):
        run_dir = Path(tempfile.mkdtemp(prefix="tessera-tests-", dir=_servers_folder()))
        run_dir.chmod(0o711)  # PostgreSQL, which is not root, must get through
        os.environ[RUN_DIR_VARIABLE] = str(run_dir)
        os.environ[CONTROLLER_VARIABLE] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the run started."""
    if GIVEN_STACK_VARIABLE in os.environ:
        asyncio.run(drop_spare_databases())
    if _is_controller(config):
        run_dir = Path(os.environ.pop(RUN_DIR_VARIABLE))
        stop_shared_servers(run_dir)
        shutil.rmtree(run_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def stack() -> TestServers:
    """A real PostgreSQL and a real Kafka, shared by all tests of the run."""
    return shared_servers()


@pytest.fixture(scope="session")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator["LocalStack"]:
    """A whole stack whose parts a test may kill, restart and starve; for tests with the marker ``faults``.

    All services run, and its PostgreSQL writes as safely as in production. A test leaves it as it found it: everything
    running and ready.
    """
    from deploy.local.config import StackConfig
    from deploy.local.ports import Ports
    from deploy.local.stack import LocalStack

    config = StackConfig(
        state_dir=tmp_path_factory.mktemp("own-stack"),
        ports=Ports.picked(),
        service_environment={"TESSERA_TOPIC_PARTITIONS": str(TEST_PARTITIONS), "TESSERA_DIGEST_DELAY_SECONDS": "1"},
        postgres_settings={"shared_buffers": "256MB"},
    )
    with LocalStack(config) as stack:
        yield stack


@pytest.fixture
async def fresh_database(stack: TestServers) -> AsyncIterator[FreshDatabase]:
    """A new database, migrated and empty."""
    async with made_database(stack) as database:
        yield database


@pytest.fixture
async def database_of(fresh_database: FreshDatabase) -> AsyncIterator[Callable[[str], Database]]:
    """``database_of("accrual")``: the test's database as that service sees it; closed after the test."""
    opened: list[Database] = []

    def open_as(service: str) -> Database:
        database = Database(fresh_database.url(role_name(service)))
        opened.append(database)
        return database

    yield open_as
    for database in opened:
        await database.close()


@pytest.fixture
async def kafka_settings(stack: TestServers) -> AsyncIterator["KafkaSettings"]:
    """All topics, under a prefix that no other test has; deleted after the test."""
    async with made_topics(stack) as settings:
        yield settings


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Files for TLS."""
    return made_certificates(tmp_path_factory.mktemp("certificates"))
