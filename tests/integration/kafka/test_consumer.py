"""The consumer on a real broker: what it does with records, good and bad."""

from shared.kafka import KafkaSettings
from tests.support.consuming import (
    Remembering,
    committed_offsets,
    new_consumer,
    outgoing,
    running,
    send,
    until,
)


async def test_every_record_is_handled_once_and_in_order_of_its_key(kafka_settings: KafkaSettings) -> None:
    await send(kafka_settings, [outgoing(number) for number in range(3_000)])
    handler = Remembering()
    async with running(new_consumer(kafka_settings, handler)):
        await until(lambda: len(handler.taken) >= 3_000)
    assert sorted(handler.taken) == list(range(3_000))
    for key in range(7):
        numbers = [number for number in handler.taken if number % 7 == key]
        assert numbers == sorted(numbers)
    assert sum((await committed_offsets(kafka_settings)).values()) == 3_000
