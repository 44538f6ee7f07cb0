"""Stacks of servers alone, for tests of the stack itself."""

from pathlib import Path

from deploy.local.config import StackConfig
from deploy.local.ports import Ports

SMALL_POSTGRES = {"shared_buffers": "64MB", "max_wal_size": "256MB"}


class Told:
    """A reporter that keeps what it was told."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def say(self, message: str) -> None:
        self.messages.append(message)


def small_config(state_dir: Path) -> StackConfig:
    """A stack in this folder, on ports that are free now, small enough to have two of them at once."""
    return StackConfig(
        state_dir=state_dir,
        ports=Ports.picked(),
        postgres_settings=SMALL_POSTGRES,
        service_environment={"TESSERA_TOPIC_PARTITIONS": "1"},
    )
