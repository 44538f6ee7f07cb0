"""The consumer on a real broker: good records, bad ones, and bad times."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.kafka import Batch, ConsumerLimits, ConsumerStoppedError, Failure, KafkaSettings, OutgoingRecord
from shared.kafka.errors import TransientError
from shared.kafka.topics import create_topics, dead_letter_topic, declared_topics, retry_topic
from tests.support.consuming import (
    SERVICE,
    TOPIC,
    Remembering,
    classify,
    committed_offsets,
    new_consumer,
    number_of,
    outgoing,
    read_all,
    running,
    send,
)
from tests.support.until import WAIT_SECONDS_MAX, until

DEAD_LETTERS = dead_letter_topic(TOPIC, SERVICE)
QUICK: dict[str, Any] = {"back_off_seconds_min": 0.02, "back_off_seconds_max": 0.1}


async def committed_records(settings: KafkaSettings, topic: str = TOPIC) -> int:
    return sum((await committed_offsets(settings, topic)).values())


async def test_every_record_is_handled_once_and_in_order_of_its_key(kafka_settings: KafkaSettings) -> None:
    await send(kafka_settings, [outgoing(number) for number in range(3_000)])
    handler = Remembering()
    async with running(new_consumer(kafka_settings, handler)):
        await until(lambda: len(handler.taken) >= 3_000)
    assert sorted(handler.taken) == list(range(3_000))
    for key in range(7):
        numbers = [number for number in handler.taken if number % 7 == key]
        assert numbers == sorted(numbers)
    assert await committed_records(kafka_settings) == 3_000


async def test_one_poison_record_in_a_batch_of_a_thousand_dies_alone(kafka_settings: KafkaSettings) -> None:
    records = [outgoing(number, key="one partition") for number in range(1_000)]
    await send(kafka_settings, records)
    handler = Remembering(poison=frozenset({613}))
    async with running(new_consumer(kafka_settings, handler, limits=ConsumerLimits(records_max=1_000))):
        await until(lambda: bool(handler.letters) and len(handler.taken) >= 999)
    assert handler.taken == [number for number in range(1_000) if number != 613]
    (letter,) = handler.letters
    assert (letter.offset, letter.cause, letter.detail) == (613, "rejected", "PermanentError: poison")
    assert letter.event is not None
    assert number_of(letter.event) == 613
    (kept,) = await read_all(kafka_settings, DEAD_LETTERS)
    assert (kept.key, kept.value) == (records[613].key, records[613].body)
    headers = dict(kept.headers)
    assert records[613].headers == tuple(list(headers.items())[:2])
    assert headers["dead_letter_offset"] == b"613"
    assert await committed_records(kafka_settings) == 1_000


def bad_records() -> dict[str, OutgoingRecord]:
    """One of each way of being unreadable, by the cause that should be told."""
    good = outgoing(0, key="k")
    renamed = good.body.replace(b"loyalty.receipt.refused.v1", b"loyalty.receipt.refused.v9")
    return {
        "not_json": OutgoingRecord(TOPIC, b"k", b"\xff\x00garbage", good.headers),
        "schema": OutgoingRecord(TOPIC, b"k", good.body.replace(b'"detail":"0"', b'"detail":false'), good.headers),
        "unknown_type": OutgoingRecord(TOPIC, b"k", renamed, (("type", b"loyalty.receipt.refused.v9"),)),
        "unknown_type, no header": OutgoingRecord(TOPIC, b"k", renamed, ()),
    }


@pytest.mark.parametrize("unknown_types", ["dead-letter", "skip"])
async def test_unreadable_records_harm_no_other(kafka_settings: KafkaSettings, unknown_types: str) -> None:
    bad = bad_records()
    healthy = [outgoing(number, key="k") for number in range(10)]
    mixed = [record for pair in zip(healthy, [*bad.values()] * 3, strict=False) for record in pair]
    await send(kafka_settings, mixed)
    handler = Remembering()
    limits = ConsumerLimits(records_max=100)
    async with running(new_consumer(kafka_settings, handler, limits=limits, unknown_types=unknown_types)):
        await until(lambda: committed_is(kafka_settings, len(mixed)))
    assert handler.taken == list(range(10))
    causes = [cause.partition(",")[0] for cause in [*bad] * 3][:10]
    if unknown_types == "skip":
        causes = [cause for cause in causes if cause != "unknown_type"]
    assert [letter.cause for letter in handler.letters] == causes
    kept = await read_all(kafka_settings, DEAD_LETTERS)
    assert [dict(record.headers)["dead_letter_cause"].decode() for record in kept] == causes
    assert {record.value for record in kept} <= {record.body for record in bad.values()}


async def committed_is(settings: KafkaSettings, records: int, topic: str = TOPIC) -> bool:
    return await committed_records(settings, topic) == records


@pytest.mark.parametrize("is_readable", [False, True])
async def test_where_every_record_is_bad_the_consumer_stops_at_its_limit(
    kafka_settings: KafkaSettings, is_readable: bool
) -> None:
    body = None if is_readable else b"garbage"
    await send(kafka_settings, [outgoing(number, key="k", body=body) for number in range(400)])
    handler = Remembering(poison=frozenset(range(400)))
    limits = ConsumerLimits(records_max=30, dead_letters_in_a_row_max=100)
    with pytest.raises(ConsumerStoppedError) as stopped:
        await new_consumer(kafka_settings, handler, limits=limits).run(asyncio.Event())
    assert stopped.value.reason == "dead_letter_limit"
    assert len(handler.letters) == 90  # the batch that goes beyond the limit is left where it is
    assert len(await read_all(kafka_settings, DEAD_LETTERS)) == 90
    assert await committed_records(kafka_settings) == 90


async def test_a_transient_error_moves_no_offset_and_is_waited_out(kafka_settings: KafkaSettings) -> None:
    await send(kafka_settings, [outgoing(number) for number in range(500)])
    is_away, attempts = True, 0

    async def fail_while_away(_: Batch[Any]) -> None:
        nonlocal attempts
        attempts += 1
        if is_away:
            raise ConnectionError("the database is away")

    handler = Remembering(before_handling=fail_while_away)
    async with running(new_consumer(kafka_settings, handler, limits=ConsumerLimits(records_max=100, **QUICK))):
        await until(lambda: attempts >= 8)
        assert await committed_records(kafka_settings) == 0
        is_away = False
        await until(lambda: len(handler.taken) >= 500)
    assert sorted(handler.taken) == list(range(500))
    assert handler.letters == []
    assert await committed_records(kafka_settings) == 500


async def test_failures_now_and_then_lose_and_reorder_nothing(kafka_settings: KafkaSettings) -> None:
    """Each time, the batch that was decoded meanwhile is given back too."""
    calls = 0

    async def fail_every_third(_: Batch[Any]) -> None:
        nonlocal calls
        calls += 1
        if calls % 3 == 0:
            raise TransientError("now and then")

    await send(kafka_settings, [outgoing(number) for number in range(1_000)])
    handler = Remembering(before_handling=fail_every_third)
    async with running(new_consumer(kafka_settings, handler, limits=ConsumerLimits(records_max=40, **QUICK))):
        await until(lambda: len(handler.taken) >= 1_000)
    assert sorted(handler.taken) == list(range(1_000))
    for key in range(7):
        numbers = [number for number in handler.taken if number % 7 == key]
        assert numbers == sorted(numbers)


async def test_the_offset_waits_for_the_handler_to_know_of_the_letter(kafka_settings: KafkaSettings) -> None:
    refusals = 0

    class Forgetful(Remembering):
        async def dead_lettered(self, letter: Any) -> None:
            nonlocal refusals
            if refusals < 3:
                refusals += 1
                assert await committed_records(kafka_settings) == 0
                raise ConnectionError("the database is away")
            await super().dead_lettered(letter)

    await send(kafka_settings, [outgoing(number, key="k") for number in range(10)])
    handler = Forgetful(poison=frozenset({4}))
    async with running(new_consumer(kafka_settings, handler)):
        await until(lambda: committed_is(kafka_settings, 10))
    assert [letter.offset for letter in handler.letters] == [4]
    assert {record.value for record in await read_all(kafka_settings, DEAD_LETTERS)} == {handler.letters[0].body}


async def test_a_letter_that_the_broker_does_not_take_holds_the_offset(kafka_settings: KafkaSettings) -> None:
    settings = replace(kafka_settings, topic_prefix=kafka_settings.topic_prefix + "bare.")
    declared = declared_topics(settings.partitions)
    await create_topics(settings, [topic for topic in declared if topic.name in (TOPIC, retry_topic(TOPIC, SERVICE))])
    await send(settings, [outgoing(number, key="k") for number in range(10)])
    handler = Remembering(poison=frozenset({4}))
    limits = ConsumerLimits(dead_letter_seconds_max=0.2, **QUICK)
    async with running(new_consumer(settings, handler, limits=limits)):
        await until(lambda: len(handler.taken) >= 27)  # again and again, and no further
        assert await committed_records(settings) == 0
        assert handler.letters == []
        await create_topics(settings, declared)
        await until(lambda: committed_is(settings, 10))
    assert [letter.offset for letter in handler.letters] == [4]
    assert set(handler.taken) == set(range(10)) - {4}
    assert await read_all(settings, DEAD_LETTERS)


async def test_a_client_that_stopped_fetching_is_noticed(kafka_settings: KafkaSettings) -> None:
    await send(kafka_settings, [outgoing(number) for number in range(50)])
    handler = Remembering()
    consumer = new_consumer(kafka_settings, handler, limits=ConsumerLimits(stuck_seconds_max=0.5))
    task = asyncio.create_task(consumer.run(asyncio.Event()))
    await until(lambda: len(handler.taken) == 50)
    fetcher = consumer._member.client._fetcher
    for fetching in (fetcher._fetch_task, *fetcher._pending_tasks):
        fetching.cancel()
    await send(kafka_settings, [outgoing(number) for number in range(50)])
    with pytest.raises(ConsumerStoppedError) as stopped:
        await asyncio.wait_for(task, 30)
    assert stopped.value.reason == "stuck"


class TooSlowError(Exception):
    """What a statement's time-out looks like to a handler."""


def classify_slow(error: Exception) -> Failure:
    return Failure.TIMEOUT if isinstance(error, TooSlowError) else classify(error)


async def test_a_batch_that_times_out_comes_back_at_half_its_size(kafka_settings: KafkaSettings) -> None:
    sizes: list[int] = []

    async def take_ten_at_most(batch: Batch[Any]) -> None:
        sizes.append(len(batch.records))
        if len(batch.records) > 10:
            raise TooSlowError

    await send(kafka_settings, [outgoing(number, key="k") for number in range(100)])
    handler = Remembering(before_handling=take_ten_at_most)
    limits = ConsumerLimits(records_max=64, **QUICK)
    async with running(new_consumer(kafka_settings, handler, limits=limits, classify=classify_slow)):
        await until(lambda: len(handler.taken) >= 100)
    assert handler.taken == list(range(100))
    assert sizes[:4] == [64, 32, 16, 8]
    assert handler.letters == []


async def test_a_record_that_times_out_alone_three_times_stops_the_consumer(kafka_settings: KafkaSettings) -> None:
    attempts = 0

    async def hang_on_five(batch: Batch[Any]) -> None:
        nonlocal attempts
        if 5 in [number_of(event) for event in batch.events]:
            attempts += len(batch.records) == 1
            await asyncio.sleep(60)

    await send(kafka_settings, [outgoing(number, key="k") for number in range(8)])
    handler = Remembering(before_handling=hang_on_five)
    limits = ConsumerLimits(records_max=8, handle_seconds_max=0.1, **QUICK)
    with pytest.raises(ConsumerStoppedError) as stopped:
        await new_consumer(kafka_settings, handler, limits=limits).run(asyncio.Event())
    assert stopped.value.reason == "record_timeout"
    assert attempts == 3
    assert handler.taken == list(range(5))
    assert handler.letters == []
    assert await committed_records(kafka_settings) == 5


async def test_the_retry_topic_is_read_beside_the_topic(kafka_settings: KafkaSettings) -> None:
    retry = retry_topic(TOPIC, SERVICE)
    await send(kafka_settings, [outgoing(1), outgoing(2, topic=retry), outgoing(3)])
    handler = Remembering(poison=frozenset({2}))
    async with running(new_consumer(kafka_settings, handler)):
        await until(lambda: committed_is(kafka_settings, 1, retry))
        await until(lambda: len(handler.taken) == 2)
    assert [(letter.topic, letter.offset) for letter in handler.letters] == [(retry, 0)]
    assert len(await read_all(kafka_settings, DEAD_LETTERS)) == 1


async def test_unwanted_records_are_passed_over_undecoded(kafka_settings: KafkaSettings) -> None:
    wanted = OutgoingRecord(TOPIC, b"k", outgoing(7).body, (*outgoing(7).headers, ("wanted", b"1")))
    await send(kafka_settings, [outgoing(1, key="k", body=b"not even JSON"), wanted, outgoing(2, key="k")])
    handler = Remembering()
    consumer = new_consumer(kafka_settings, handler, wants=lambda headers: headers.get("wanted") == b"1")
    async with running(consumer):
        await until(lambda: committed_is(kafka_settings, 3))
    assert handler.taken == [7]
    assert handler.letters == []


async def test_no_more_than_two_batches_are_in_memory(kafka_settings: KafkaSettings) -> None:
    seen = 0
    gate = asyncio.Event()

    def count(_: Any) -> bool:
        nonlocal seen
        seen += 1
        return True

    async def wait_for_gate(_: Batch[Any]) -> None:
        await gate.wait()

    await send(kafka_settings, [outgoing(number) for number in range(500)])
    handler = Remembering(before_handling=wait_for_gate)
    consumer = new_consumer(kafka_settings, handler, limits=ConsumerLimits(records_max=50), wants=count)
    async with running(consumer):
        await until(lambda: seen == 100)  # the next one is decoded while the first is in hand
        gate.set()
        await until(lambda: len(handler.taken) >= 500)


async def test_a_stop_finishes_the_batch_in_hand(kafka_settings: KafkaSettings) -> None:
    started, gate, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def wait_for_gate(_: Batch[Any]) -> None:
        started.set()
        await gate.wait()

    await send(kafka_settings, [outgoing(number, key="k") for number in range(20)])
    handler = Remembering(before_handling=wait_for_gate)
    task = asyncio.create_task(new_consumer(kafka_settings, handler).run(stop))
    await started.wait()
    stop.set()
    gate.set()
    await task
    assert handler.taken == list(range(20))
    assert await committed_records(kafka_settings) == 20


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_a_stop_that_meets_an_answer_of_the_broker_is_not_lost(
    kafka_settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    stop = asyncio.Event()
    answer = AIOKafkaConsumer.position

    async def stop_and_answer(client: AIOKafkaConsumer, partition: TopicPartition) -> int:
        stop.set()
        offset: int = await answer(client, partition)
        for _ in range(turns):  # of the event loop: the cancellation comes while the answer is on its way
            await asyncio.sleep(0)
        return offset

    monkeypatch.setattr(AIOKafkaConsumer, "position", stop_and_answer)

    await asyncio.wait_for(new_consumer(kafka_settings, Remembering()).run(stop), WAIT_SECONDS_MAX)

    assert stop.is_set()
