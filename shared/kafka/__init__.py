"""Kafka: a batch consumer that owns offsets, a producer that awaits every acknowledgement, and the topics."""

from shared.kafka.batch_size import BatchSize
from shared.kafka.consumer import Consumer
from shared.kafka.errors import (
    ConsumerStoppedError,
    Failure,
    PermanentError,
    ProducerBrokenError,
    ProducerUnavailableError,
    RecordTooLargeError,
    TransientError,
)
from shared.kafka.producer import EventProducer, OutgoingRecord
from shared.kafka.records import Batch, DeadLetter, Handler, ReadPosition, Record
from shared.kafka.settings import ConsumerLimits, KafkaSettings

__all__ = [
    "Batch",
    "BatchSize",
    "Consumer",
    "ConsumerLimits",
    "ConsumerStoppedError",
    "DeadLetter",
    "EventProducer",
    "Failure",
    "Handler",
    "KafkaSettings",
    "OutgoingRecord",
    "PermanentError",
    "ProducerBrokenError",
    "ProducerUnavailableError",
    "ReadPosition",
    "Record",
    "RecordTooLargeError",
    "TransientError",
]
