"""The outbox: events recorded in the transaction of their effect, and relayed to Kafka in order per key."""

from shared.outbox.lane import RelayStoppedError
from shared.outbox.recording import Message, record, record_later
from shared.outbox.relay import Relay

__all__ = ["Message", "Relay", "RelayStoppedError", "record", "record_later"]
