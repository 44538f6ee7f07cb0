"""The whole local stack as an object: for ``tessera up``, the demo, the benchmarks and the tests."""

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from deploy.local.children import Child, Guardian
from deploy.local.clients import fetch_token
from deploy.local.config import StackConfig
from deploy.local.errors import StackError
from deploy.local.fleet import Fleet
from deploy.local.ports import refuse_taken_ports
from deploy.local.preparing import prepare_database, prepare_topics
from deploy.local.progress import Reporter, SilentReporter
from deploy.local.servers import Servers
from deploy.local.services import (
    FLEET,
    ServiceRole,
    ServiceSpec,
    database_url_of,
    environment_of,
    inherited,
    kafka_settings_of,
    url_of,
)
from deploy.local.stack_secrets import StackSecrets, load_or_make_secrets
from deploy.local.state_lock import StateLock
from deploy.local.supervision import Supervisor
from shared.kafka.settings import KafkaSettings

STARTING_MAX = max(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class _Running:
    """What a started stack consists of."""

    secrets: StackSecrets
    servers: Servers
    fleet: Fleet
    supervisor: Supervisor


class LocalStack:
    """PostgreSQL, Kafka, a mail sink and services; ``with LocalStack(config) as stack`` (or ``async with``).

    Entering starts the servers on the data that are there, migrates, creates topics, and starts the services of
    ``fleet``; it returns when all are ready, or raises a ``StackError`` and leaves nothing running. Leaving stops
    services, then Kafka, then PostgreSQL. If this process vanishes, its children are ended all the same.

    The methods block; call them from one thread at a time.
    """

    def __init__(
        self, config: StackConfig, *, fleet: Sequence[ServiceSpec] = FLEET, reporter: Reporter | None = None
    ) -> None:
        self.config = config
        self._fleet_specs = tuple(fleet)
        self._reporter: Reporter = reporter or SilentReporter()
        self._cleanup = ExitStack()
        self._running: _Running | None = None

    def start(self) -> None:
        """What entering does."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """What leaving does. Nothing where nothing runs."""
        self._running = None
        self._cleanup.close()

    @property
    def admin_url(self) -> str:
        """The database, as its owner."""
        return self._parts.servers.admin_url

    @property
    def bootstrap_servers(self) -> str:
        """Kafka."""
        return self._parts.servers.bootstrap_servers

    @property
    def kafka_settings(self) -> KafkaSettings:
        """Kafka, with the prefix and partitions that the services are told."""
        return kafka_settings_of(self.config, self.bootstrap_servers)

    @property
    def failed(self) -> threading.Event:
        """Set when a process ended too often and was given up."""
        return self._parts.supervisor.failed

    def database_url(self, role: str) -> str:
        """The database, as one of the platform's roles."""
        return database_url_of(self.admin_url, self._parts.secrets, role)

    def url(self, service: str) -> str:
        """The base URL of a service's API."""
        return url_of(self.config, service)

    def client_credentials(self, client_id: str) -> tuple[str, str]:
        """Id and secret of one of the API clients that the stack starts with: ``admin`` has every scope."""
        return client_id, self._parts.secrets.client_secrets[client_id]

    def token(self, client_id: str = "admin") -> str:
        """A bearer token of that client, from coalition; valid for at most 15 minutes."""
        return fetch_token(self.url("coalition"), *self.client_credentials(client_id))

    def start_service(
        self,
        name: str,
        role: ServiceRole = "both",
        instance: int = 1,
        extra_env: Mapping[str, str] | None = None,
    ) -> ServiceSpec:
        """Start one more process of a service and wait until it is ready; it is kept running from then on."""
        spec = ServiceSpec(name, role, instance)
        self._launch(spec, extra_env or {})
        self._parts.fleet.await_ready(spec)
        return spec

    def await_ready(self, *specs: ServiceSpec) -> None:
        """Wait until services, killed or restarted meanwhile, say that they are ready."""
        self._parts.fleet.await_ready(*specs)

    def child(self, spec: ServiceSpec) -> Child:
        """The process that a service has now: its pid, its log, signals for it."""
        return self._parts.fleet.find(spec.label).child

    def kill(self, spec: ServiceSpec, *, restart: bool = True) -> None:
        """SIGKILL a service's process. A successor starts 0.2 s later, unless ``restart`` is false."""
        self._parts.fleet.kill(spec.label, restart=restart)

    def stop_service(self, spec: ServiceSpec) -> None:
        """End a service's process cleanly, and for good."""
        self._parts.fleet.stop(spec.label)

    def restart_postgres(self) -> None:
        """A clean stop and start of the database."""
        with self._parts.supervisor.lock:
            self._parts.servers.postgres.stop()
            self.start_postgres()

    def kill_postgres(self) -> None:
        """SIGKILL to the database; it stays away until ``start_postgres``."""
        with self._parts.supervisor.lock:
            self._parts.supervisor.forget("postgres")
            self._parts.servers.postgres.kill()

    def start_postgres(self) -> None:
        """Start the database again; it recovers what a kill left."""
        with self._parts.supervisor.lock:
            self._parts.servers.postgres.start()
            self._parts.servers.watch_postgres(self._parts.supervisor)

    def restart_kafka(self) -> None:
        """A clean stop and start of the broker."""
        with self._parts.supervisor.lock:
            self._parts.servers.kafka.stop()
            self.start_kafka()

    def kill_kafka(self) -> None:
        """SIGKILL to the broker; it stays away until ``start_kafka``."""
        with self._parts.supervisor.lock:
            self._parts.supervisor.forget("kafka")
            self._parts.servers.kafka.kill()

    def start_kafka(self) -> None:
        """Start the broker again; it recovers what a kill left."""
        with self._parts.supervisor.lock:
            self._parts.servers.kafka.start()
            self._parts.servers.watch_kafka(self._parts.supervisor)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    @property
    def _parts(self) -> _Running:
        if self._running is None:
            raise StackError("The stack is not running.")
        return self._running

    def _start(self) -> None:
        config = self.config
        config.state_dir.mkdir(parents=True, exist_ok=True)
        lock = StateLock(config.state_dir / "lock")
        self._cleanup.callback(lock.release)
        secrets = load_or_make_secrets(config.secrets_file)
        guardian = Guardian(config.log_dir / "guard.log", lock_descriptor=lock.descriptor)
        self._cleanup.callback(guardian.close)
        servers = Servers(config, secrets, guardian, self._reporter)
        fleet_ports = {spec.label: spec.port(config) for spec in self._fleet_specs}
        refuse_taken_ports({**servers.wanted_ports(), "the mail sink": config.ports.smtp, **fleet_ports})
        self._cleanup.callback(servers.stop)
        servers.start()
        prepare_database(servers.admin_url, secrets)
        prepare_topics(kafka_settings_of(config, servers.bootstrap_servers))
        supervisor = Supervisor(self._reporter)
        supervisor.start()
        self._cleanup.callback(supervisor.stop)
        servers.watch_all(supervisor)
        fleet = Fleet(config, guardian, supervisor, self._reporter)
        self._cleanup.callback(fleet.stop_all)
        self._running = _Running(secrets, servers, fleet, supervisor)
        fleet.start_mail_sink(inherited())
        self._start_fleet()

    def _start_fleet(self) -> None:
        """A few at a time: Python's imports are all processor time, and who starves while starting times out."""
        for first in range(0, len(self._fleet_specs), STARTING_MAX):
            specs = self._fleet_specs[first : first + STARTING_MAX]
            for spec in specs:
                self._launch(spec, {})
            self._parts.fleet.await_ready(*specs)

    def _launch(self, spec: ServiceSpec, extra_env: Mapping[str, str]) -> None:
        environment = environment_of(
            spec,
            self.config,
            self._parts.secrets,
            admin_url=self.admin_url,
            bootstrap_servers=self.bootstrap_servers,
        )
        if spec.name == "redemption" and not any(one.name == "fraud" for one in self._fleet_specs):
            # Whoever is not started is not asked: holds would go by the ceiling, and wait for an answer now and then.
            environment.pop("TESSERA_FRAUD_URL")
        self._parts.fleet.start(spec.label, spec.command(), environment | dict(extra_env))
