"""What goes wrong with Kafka, by what has to be done about it."""

from enum import Enum


class Failure(Enum):
    """What an exception from a handler means for its records."""

    PERMANENT = "permanent"  # these records can never be handled: find the one, dead-letter it
    TRANSIENT = "transient"  # the world is not ready: wait, then the same records again
    TIMEOUT = "timeout"  # too much at once: the same records again, half as many


class PermanentError(Exception):
    """This record can never be handled, whoever tries. A handler raises it to have the record dead-lettered."""


class TransientError(Exception):
    """Not now. A handler raises it to be given the same records again later."""


class RecordTooLargeError(PermanentError):
    """The record is larger than its topic takes."""


class ProducerUnavailableError(TransientError):
    """The broker did not acknowledge before the deadline. The records may have been written: send them again."""


class ProducerBrokenError(Exception):
    """This producer will never send again; a new one may."""


class ConsumerStoppedError(Exception):
    """The consumer cannot go on by itself. Its process ends with a code other than 0; ``reason`` is a metric label."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
