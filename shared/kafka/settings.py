"""Where the broker is, and every bound of a consumer, by name."""

from dataclasses import dataclass, field
from typing import Any

from shared.kafka.batch_size import BatchSize
from shared.kafka.security import KafkaSecurity

SESSION_SECONDS_MAX = 10.0
HEARTBEAT_SECONDS = 1.0
# A revoked consumer finishes the batch in its hands first: the group waits for it longer than it may take.
REBALANCE_SECONDS_MAX = 20.0
REVOKE_SECONDS_MAX = 15.0


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """One cluster. ``topic_prefix`` stands before every topic and group: two programmes, or tests, on one broker."""

    bootstrap_servers: str
    topic_prefix: str = ""
    partitions: int = 12
    replication_factor: int = 1
    min_insync_replicas: int = 1
    security: KafkaSecurity = field(default_factory=KafkaSecurity)

    def client_arguments(self) -> dict[str, Any]:
        """Where the broker is and how to speak to it, for every client that is made."""
        return {"bootstrap_servers": self.bootstrap_servers, **self.security.client_arguments()}

    def wire_name(self, topic: str) -> str:
        """The topic's name on the broker."""
        return self.topic_prefix + topic

    def topic_of(self, wire_name: str) -> str:
        """The topic's name everywhere but on the broker."""
        return wire_name.removeprefix(self.topic_prefix)


@dataclass(frozen=True, slots=True)
class ConsumerLimits:
    """A consumer's bounds. Give a handler that measures its locks the same ``batch_size`` as the consumer."""

    records_max: int = 500  # in a batch; two batches are in memory at most
    batch_size: BatchSize | None = None  # in place of records_max
    handle_seconds_max: float = 30.0  # one call of the handler
    single_timeouts_max: int = 3  # of a record that is alone
    dead_letters_in_a_row_max: int = 200
    dead_letter_seconds_max: float = 10.0  # until the broker has acknowledged a batch's dead letters
    back_off_seconds_min: float = 0.1
    back_off_seconds_max: float = 5.0
    stuck_seconds_max: float = 60.0  # of polling, with records to read and none coming
    fetch_bytes_max: int = 8_388_608
    partition_fetch_bytes_max: int = 1_048_576
    fetch_wait_seconds_max: float = 0.25
