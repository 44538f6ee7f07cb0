"""The producer on a real broker: order, acknowledgements, deadlines, and the death of a sender."""

import asyncio

import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import TopicPartition

from shared.kafka import (
    EventProducer,
    KafkaSettings,
    OutgoingRecord,
    ProducerBrokenError,
    ProducerUnavailableError,
    RecordTooLargeError,
)
from shared.kafka.topics import RECORD_BYTES_MAX
from tests.support.consuming import TOPIC, outgoing, read_all


async def test_records_of_a_key_lie_in_order_where_other_clients_expect_them(kafka_settings: KafkaSettings) -> None:
    producer = EventProducer(kafka_settings)
    records = [OutgoingRecord(TOPIC, f"key-{n % 50}".encode(), str(n).encode(), (("n", b"1"),)) for n in range(2_000)]
    await asyncio.gather(producer.send_all(records, deadline_seconds=20), producer.send_all([], deadline_seconds=20))
    await producer.stop()
    found = await read_all(kafka_settings, TOPIC)
    assert sorted(int(record.value) for record in found) == list(range(2_000))
    partitions = list(range(kafka_settings.partitions))
    for record in found:
        assert record.partition == DefaultPartitioner()(record.key, partitions, partitions)
    for key in {record.key for record in found}:
        numbers = [int(record.value) for record in found if record.key == key]
        assert numbers == sorted(numbers)


async def test_without_a_broker_the_deadline_passes_and_nothing_else(unused_tcp_port: int) -> None:
    producer = EventProducer(KafkaSettings(f"127.0.0.1:{unused_tcp_port}"))
    for _ in range(2):
        with pytest.raises(ProducerUnavailableError):
            await producer.send_all([outgoing(1)], deadline_seconds=0.3)
    await producer.stop()


async def test_what_is_under_way_is_bounded_until_it_is_dropped(kafka_settings: KafkaSettings) -> None:
    producer = EventProducer(kafka_settings, records_under_way_max=10)
    nowhere = [OutgoingRecord("no.such.topic", b"k", b"v", ())] * 8
    with pytest.raises(ProducerUnavailableError, match="no acknowledgement"):
        await producer.send_all(nowhere, deadline_seconds=0.3)
    assert producer._records_under_way == 0  # they were never handed over
    with pytest.raises(ProducerUnavailableError, match="under way already"):
        await producer.send_all([outgoing(n) for n in range(11)], deadline_seconds=5)
    await producer.send_all([outgoing(n) for n in range(10)], deadline_seconds=20)
    await producer.stop()


async def test_what_was_handed_over_counts_until_the_producer_is_dropped(kafka_settings: KafkaSettings) -> None:
    producer = EventProducer(kafka_settings, records_under_way_max=10)
    await producer.start(deadline_seconds=20)
    client = producer._producer
    assert client is not None
    await client.partitions_for(kafka_settings.wire_name(TOPIC))
    client._sender._muted_partitions |= {  # as if the broker did not answer: nothing leaves
        TopicPartition(kafka_settings.wire_name(TOPIC), number) for number in range(kafka_settings.partitions)
    }
    with pytest.raises(ProducerUnavailableError, match="no acknowledgement"):
        await producer.send_all([outgoing(n) for n in range(8)], deadline_seconds=0.3)
    assert producer._records_under_way == 8
    with pytest.raises(ProducerUnavailableError, match="8 records are under way already"):
        await producer.send_all([outgoing(n) for n in range(3)], deadline_seconds=5)
    await producer.drop()
    await asyncio.sleep(0)
    assert producer._records_under_way == 0
    await producer.send_all([outgoing(9)], deadline_seconds=20)
    await producer.stop()
    assert len(await read_all(kafka_settings, TOPIC)) == 1  # what was dropped never went out


async def test_a_record_that_no_topic_takes_is_told_apart(kafka_settings: KafkaSettings) -> None:
    producer = EventProducer(kafka_settings)
    for size in (3_000_000, RECORD_BYTES_MAX + 1):  # ours to see, and the broker's
        with pytest.raises(RecordTooLargeError):
            await producer.send_all([outgoing(1, body=b"x" * size)], deadline_seconds=20)
    await producer.send_all([outgoing(2)], deadline_seconds=20)
    await producer.stop()


async def test_a_sender_that_lost_its_sequence_is_broken_until_it_is_dropped(kafka_settings: KafkaSettings) -> None:
    producer = EventProducer(kafka_settings)
    await producer.send_all([outgoing(1, key="k")], deadline_seconds=20)
    assert producer._producer is not None
    for partition in producer._producer._txn_manager._sequence_numbers:
        producer._producer._txn_manager._sequence_numbers[partition] += 7
    with pytest.raises(ProducerBrokenError):
        await producer.send_all([outgoing(2, key="k")], deadline_seconds=20)
    await producer.drop()
    await producer.send_all([outgoing(3, key="k")], deadline_seconds=20)
    await producer.stop()
    assert len(await read_all(kafka_settings, TOPIC)) == 2


async def test_a_sender_that_died_is_broken_for_good(kafka_settings: KafkaSettings) -> None:
    producer = EventProducer(kafka_settings)
    await producer.send_all([outgoing(1)], deadline_seconds=20)
    assert producer._producer is not None

    async def fail(*_: object) -> None:
        raise RuntimeError("any error in the sender's own loop")

    producer._producer._sender._send_produce_req = fail
    for number in range(2):
        with pytest.raises(ProducerBrokenError):
            await producer.send_all([outgoing(number)], deadline_seconds=20)
    await producer.drop()
    await producer.send_all([outgoing(3)], deadline_seconds=20)
    await producer.stop()
