"""The ports of a stack: known ones for people, free ones for tests."""

import random
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from deploy.local.errors import StackError

HOST = "127.0.0.1"
ANSWER_SECONDS_MAX = 2.0
PORT_OFFSET_VARIABLE = "TESSERA_PORT_OFFSET"

SERVICE_PORTS = {
    "members": 8001,
    "coalition": 8002,
    "accrual": 8003,
    "redemption": 8004,
    "fraud": 8005,
    "notifications": 8006,
}
WORKER_PORT_STEP = 100
INSTANCE_PORT_STEP = 10
POSTGRES_PORT = 15432
KAFKA_PORT = 19092
KAFKA_CONTROLLER_PORT = 19093
SMTP_PORT = 8025

# Below the range from which the system takes ports for outgoing connections: one that was free a moment ago stays so.
_TEST_PORTS = range(20_000, 32_000)
_TEST_OFFSETS: Sequence[int] = range(12_000, 23_000, 10)
_PICK_ATTEMPTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port of one stack. Services add ``offset`` to their declared port."""

    postgres: int
    kafka: int
    kafka_controller: int
    smtp: int
    offset: int = 0

    @classmethod
    def with_offset(cls, offset: int) -> "Ports":
        """The known ports, all shifted alike."""
        return cls(
            postgres=POSTGRES_PORT + offset,
            kafka=KAFKA_PORT + offset,
            kafka_controller=KAFKA_CONTROLLER_PORT + offset,
            smtp=SMTP_PORT + offset,
            offset=offset,
        )

    @classmethod
    def picked(cls) -> "Ports":
        """Ports that are free now, services included."""
        postgres, kafka, controller, smtp = picked = pick_free_ports(4)
        return cls(postgres, kafka, controller, smtp, offset=_pick_service_offset(picked))

    def service(self, name: str, *, is_worker: bool, instance: int = 1) -> int:
        """A service's HTTP port; ``instance`` tells several processes of one service and role apart."""
        step = (instance - 1) * INSTANCE_PORT_STEP + (WORKER_PORT_STEP if is_worker else 0)
        return SERVICE_PORTS[name] + self.offset + step


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_listened_to(port: int) -> bool:
    """Whether a server listens on this port. One that is not free need not have one: it may be the near end of a
    connection that somebody has elsewhere."""
    try:
        with socket.create_connection((HOST, port), timeout=ANSWER_SECONDS_MAX):
            return True
    except OSError:
        return False


def refuse_taken_ports(wanted: dict[str, int]) -> None:
    """Raise a ``StackError`` that names every port that somebody else listens on, and how to choose others."""
    taken = [f"  {port}  for {purpose}" for purpose, port in wanted.items() if not is_free(port)]
    if taken:
        raise StackError(
            "These ports are taken by another program (or by another Tessera):\n"
            + "\n".join(taken)
            + f"\nShift all ports of this stack at once, for example: {PORT_OFFSET_VARIABLE}=1000 make up"
        )


def pick_free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now."""
    picked: list[int] = []
    for _ in range(_PICK_ATTEMPTS_MAX):
        if len(picked) == count:
            return picked
        port = random.choice(_TEST_PORTS)  # noqa: S311 -- not a secret  # nosec B311
        if port not in picked and is_free(port):
            picked.append(port)
    raise StackError(f"No {count} free ports between {_TEST_PORTS.start} and {_TEST_PORTS.stop}.")


def _pick_service_offset(taken: Collection[int]) -> int:
    """An offset at which no service comes to listen where others are about to."""
    for _ in range(_PICK_ATTEMPTS_MAX):
        offset = random.choice(_TEST_OFFSETS)  # noqa: S311 -- not a secret  # nosec B311
        ports = [port + offset + step for port in SERVICE_PORTS.values() for step in (0, WORKER_PORT_STEP)]
        block = range(min(ports), max(ports) + WORKER_PORT_STEP)  # with those of further instances
        if not any(port in block for port in taken) and all(is_free(port) for port in ports):
            return offset
    raise StackError("No free block of ports for the services.")
