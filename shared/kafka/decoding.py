"""Bytes to events: each record for itself, so that a bad one harms no other; in slices, so that the loop breathes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Literal, TypeVar

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.events.catalogue import TopicEvents
from shared.events.envelope import Event
from shared.kafka.metrics import SKIPPED
from shared.kafka.records import DeadLetter, Record
from shared.telemetry.failures import message_of

E = TypeVar("E", bound=Event)
Wants = Callable[[Mapping[str, bytes]], bool]

SLICE_RECORDS = 20  # under a millisecond of decoding
_UNKNOWN_TYPE_ERRORS = frozenset({"union_tag_invalid", "union_tag_not_found"})


class Decoder(Generic[E]):
    """Reads one topic's records for one service."""

    def __init__(
        self,
        events: TopicEvents[E],
        service: str,
        topic_of: Callable[[str], str],
        wants: Wants | None,
        unknown_types: Literal["dead-letter", "skip"],
    ) -> None:
        self._events = events
        self._topic_of = topic_of
        self._wants = wants
        self._skips_unknown = unknown_types == "skip"
        self._types = frozenset(kind.encode() for kind in events.types())
        self._unwanted = SKIPPED.labels(service, events.topic, "unwanted")
        self._unknown = SKIPPED.labels(service, events.topic, "unknown_type")

    async def decode(self, raws: Sequence[ConsumerRecord]) -> list[Record[E] | DeadLetter[E]]:
        """In the given order: a record, or a letter in the place of one that cannot be read; the skipped are absent."""
        decoded: list[Record[E] | DeadLetter[E]] = []
        for start in range(0, len(raws), SLICE_RECORDS):
            items = map(self._decode_one, raws[start : start + SLICE_RECORDS])
            decoded.extend(item for item in items if item is not None)
            await asyncio.sleep(0)
        return decoded

    def _decode_one(self, raw: ConsumerRecord) -> Record[E] | DeadLetter[E] | None:
        headers = dict(raw.headers)
        if self._wants is not None and not self._wants(headers):
            self._unwanted.inc()
            return None
        if raw.value is None:
            return self._letter(raw, headers, "empty", "a record without a body")
        kind = headers.get("type")
        if kind is not None and kind not in self._types:
            return self._unknown_type(raw, headers, kind.decode(errors="replace"))
        try:
            event = self._events.read(raw.value)
        except ValidationError as error:
            code = error.errors(include_url=False, include_input=False, include_context=False)[0]["type"]
            if code in _UNKNOWN_TYPE_ERRORS:
                return self._unknown_type(raw, headers, code)
            return self._letter(raw, headers, "not_json" if code == "json_invalid" else "schema", message_of(error))
        topic = self._topic_of(raw.topic)
        return Record(event, topic, raw.partition, raw.offset, raw.key, raw.value, headers)

    def _unknown_type(self, raw: ConsumerRecord, headers: Mapping[str, bytes], detail: str) -> DeadLetter[E] | None:
        if self._skips_unknown:
            self._unknown.inc()
            return None
        return self._letter(raw, headers, "unknown_type", detail)

    def _letter(self, raw: ConsumerRecord, headers: Mapping[str, bytes], cause: str, detail: str) -> DeadLetter[E]:
        topic = self._topic_of(raw.topic)
        return DeadLetter(topic, raw.partition, raw.offset, raw.key, raw.value or b"", headers, cause, detail, None)
