"""Each record is decoded for itself: an event, a letter with its cause, or nothing."""

import asyncio
from typing import Any, Literal

import pytest
from aiokafka import ConsumerRecord
from prometheus_client import REGISTRY

from shared.events.catalogue import POINTS
from shared.kafka import DeadLetter, Record
from shared.kafka.decoding import SLICE_RECORDS, Decoder
from tests.support.consuming import TOPIC, number_of, refusal

TYPE = ("type", b"loyalty.receipt.refused.v1")


def raw(body: bytes | None, *headers: tuple[str, bytes], offset: int = 0) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord("t." + TOPIC, 3, offset, 0, 1, b"key", body, None, 3, len(body or b""), headers)


def decoder(
    unknown_types: Literal["dead-letter", "skip"] = "dead-letter", wants: Any = None, service: str = "unit"
) -> Decoder[Any]:
    return Decoder(POINTS, service, lambda name: name.removeprefix("t."), wants, unknown_types)


async def test_a_good_record_comes_with_everything_it_had() -> None:
    body = refusal(5).to_bytes()
    (record,) = await decoder().decode([raw(body, TYPE, ("id", b"x"), offset=17)])
    assert isinstance(record, Record)
    assert number_of(record.event) == 5
    assert (record.topic, record.partition, record.offset, record.key) == (TOPIC, 3, 17, b"key")
    assert (record.body, record.headers) == (body, {"type": TYPE[1], "id": b"x"})


GOOD = refusal(0).to_bytes()
RENAMED = GOOD.replace(b"refused.v1", b"refused.v2")


@pytest.mark.parametrize(
    ("body", "headers", "cause"),
    [
        (None, (TYPE,), "empty"),
        (b"", (TYPE,), "not_json"),
        (b"\xfe\xff\x00", (TYPE,), "not_json"),
        (b'{"half": ', (TYPE,), "not_json"),
        (b"[]", (TYPE,), "schema"),
        (GOOD.replace(b'"detail":"0"', b'"detail":0'), (TYPE,), "schema"),
        (GOOD.replace(b'"specversion":"1.0"', b'"specversion":"2.0"'), (TYPE,), "schema"),
        (GOOD, (("type", b"loyalty.receipt.refused.v2"),), "unknown_type"),
        (GOOD, (("type", b"\xff"),), "unknown_type"),
        (RENAMED, (), "unknown_type"),
        (GOOD.replace(b'"type":', b'"tipe":'), (), "unknown_type"),
    ],
)
async def test_what_cannot_be_read_becomes_a_letter_with_its_cause(
    body: bytes | None, headers: tuple[tuple[str, bytes], ...], cause: str
) -> None:
    (letter,) = await decoder().decode([raw(body, *headers, offset=9)])
    assert isinstance(letter, DeadLetter)
    assert (letter.cause, letter.event, letter.body, letter.offset) == (cause, None, body or b"", 9)


async def test_a_letter_does_not_quote_the_data_that_failed() -> None:
    body = GOOD.replace(b'"reason":"test"', b'"reason":["jane@example.com"]')
    (letter,) = await decoder().decode([raw(body, TYPE)])
    assert isinstance(letter, DeadLetter)
    assert "reason" in letter.detail
    assert "jane" not in letter.detail


async def test_unknown_types_are_counted_and_skipped_where_they_have_no_effect() -> None:
    reader = decoder("skip", service="skipping")
    records = [raw(GOOD, ("type", b"new.v1")), raw(RENAMED), raw(GOOD, TYPE), raw(b"bad", TYPE)]
    assert [type(item) for item in await reader.decode(records)] == [Record, DeadLetter]
    labels = {"service": "skipping", "topic": TOPIC, "reason": "unknown_type"}
    assert REGISTRY.get_sample_value("tessera_consumer_skipped_total", labels) == 2


async def test_unwanted_records_are_not_even_decoded() -> None:
    reader = decoder(wants=lambda headers: headers.get("points_tender") == b"1")
    records = [raw(b"bad", TYPE), raw(GOOD, TYPE, ("points_tender", b"1")), raw(None)]
    assert [type(item) for item in await reader.decode(records)] == [Record]


async def test_the_loop_goes_on_between_slices() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    await decoder().decode([raw(GOOD, TYPE)] * (10 * SLICE_RECORDS))
    other.cancel()
    assert turns >= 9
