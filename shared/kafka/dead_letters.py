"""Dead letters: what cannot be handled is kept by the broker, to the byte, before its offset may move."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from shared.events.envelope import Event
from shared.kafka.errors import ConsumerStoppedError, ProducerBrokenError, ProducerUnavailableError
from shared.kafka.metrics import DEAD_LETTERS
from shared.kafka.producer import EventProducer, OutgoingRecord
from shared.kafka.records import DeadLetter, Record
from shared.kafka.settings import ConsumerLimits, KafkaSettings
from shared.kafka.topics import dead_letter_topic
from shared.telemetry.failures import message_of

E = TypeVar("E", bound=Event)


class DeadLetters(Generic[E]):
    """One consumer's dead letters, and the limit at which dying records mean that something else is wrong."""

    def __init__(self, settings: KafkaSettings, service: str, topic: str, limits: ConsumerLimits) -> None:
        self._producer = EventProducer(settings, records_under_way_max=max(10_000, limits.dead_letters_in_a_row_max))
        self._service = service
        self._topic = topic
        self._limits = limits
        self._in_a_row = self._in_a_row_after = 0

    def collect(
        self, items: Sequence[Record[E] | DeadLetter[E]], rejected: Mapping[int, Exception]
    ) -> list[DeadLetter[E]]:
        """The letters of a batch, in its order: what could not be read, and what the handler rejected.

        ``rejected`` counts the records alone. Raises ConsumerStoppedError beyond the limit of letters without a handled
        record between them: then nothing of this batch is sent, and its offsets stay where they are.
        """
        letters: list[DeadLetter[E]] = []
        in_a_row, place = self._in_a_row, -1
        for item in items:
            if isinstance(item, DeadLetter):
                letters.append(item)
            elif (place := place + 1) in rejected:
                letters.append(_letter_of(item, rejected[place]))
            else:
                in_a_row = 0
                continue
            in_a_row += 1
            if in_a_row > self._limits.dead_letters_in_a_row_max:
                raise ConsumerStoppedError(
                    "dead_letter_limit",
                    f"{in_a_row} records of {self._topic} in a row cannot be handled by {self._service}, the last: "
                    f"{letters[-1].cause}: {letters[-1].detail}",
                )
        self._in_a_row_after = in_a_row
        return letters

    async def publish(self, letters: Sequence[DeadLetter[E]]) -> None:
        """Returns when the broker has them all; a sender that died is replaced the next time."""
        if letters:
            records = [self._outgoing(letter) for letter in letters]
            try:
                await self._producer.send_all(records, deadline_seconds=self._limits.dead_letter_seconds_max)
            except (ProducerBrokenError, ProducerUnavailableError):
                await self._producer.drop()
                raise
        self._in_a_row = self._in_a_row_after
        for letter in letters:
            DEAD_LETTERS.labels(self._service, self._topic, letter.cause).inc()

    async def stop(self) -> None:
        """Disconnect."""
        await self._producer.stop()

    def _outgoing(self, letter: DeadLetter[E]) -> OutgoingRecord:
        origin = {
            "dead_letter_topic": letter.topic,
            "dead_letter_partition": str(letter.partition),
            "dead_letter_offset": str(letter.offset),
            "dead_letter_cause": letter.cause,
            "dead_letter_detail": letter.detail,
        }
        headers = (*letter.headers.items(), *((name, value.encode()) for name, value in origin.items()))
        return OutgoingRecord(dead_letter_topic(self._topic, self._service), letter.key, letter.body, headers)


def _letter_of(record: Record[E], error: Exception) -> DeadLetter[E]:
    detail = f"{type(error).__name__}: {message_of(error)}"
    return DeadLetter(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.body,
        record.headers,
        "rejected",
        detail,
        record.event,
    )
