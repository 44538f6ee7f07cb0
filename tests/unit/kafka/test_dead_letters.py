"""The limit counts letters without a handled record between them, in the order of the records."""

from typing import Any

import pytest

from shared.kafka import ConsumerLimits, ConsumerStoppedError, DeadLetter, KafkaSettings, Record
from shared.kafka.dead_letters import DeadLetters
from tests.support.consuming import TOPIC, refusal

LIMITS = ConsumerLimits(dead_letters_in_a_row_max=3)


def new_letters() -> DeadLetters[Any]:
    return DeadLetters(KafkaSettings("nowhere:1"), "unit", TOPIC, LIMITS)


def items(pattern: str) -> list[Record[Any] | DeadLetter[Any]]:
    """``g`` is a record, ``b`` one that could not be read."""
    return [
        Record(refusal(offset), TOPIC, 0, offset, None, b"good", {})
        if letter == "g"
        else DeadLetter(TOPIC, 0, offset, None, b"bad", {}, "schema", "", None)
        for offset, letter in enumerate(pattern)
    ]


def rejected(*places: int) -> dict[int, Exception]:
    return {place: ValueError(place) for place in places}


async def test_letters_come_in_the_order_of_the_records() -> None:
    letters = new_letters().collect(items("gbgbg"), rejected(1))
    assert [(letter.offset, letter.cause) for letter in letters] == [(1, "schema"), (2, "rejected"), (3, "schema")]
    assert letters[1].event is not None
    assert letters[1].detail == "ValueError: 1"


@pytest.mark.parametrize("pattern", ["bbb", "bbbgbbb", "gbbbg", ""])
async def test_up_to_the_limit_it_goes_on(pattern: str) -> None:
    assert len(new_letters().collect(items(pattern), {})) == pattern.count("b")


@pytest.mark.parametrize(
    ("pattern", "places"), [("bbbb", ()), ("gbbbbg", ()), ("bgbg", (0, 1)), ("gggg", (0, 1, 2, 3))]
)
async def test_beyond_the_limit_it_stops(pattern: str, places: tuple[int, ...]) -> None:
    with pytest.raises(ConsumerStoppedError) as stopped:
        new_letters().collect(items(pattern), rejected(*places))
    assert stopped.value.reason == "dead_letter_limit"


async def test_the_count_goes_on_from_batch_to_batch() -> None:
    letters = new_letters()
    letters.collect(items("gbb"), {})
    await letters.publish([])
    with pytest.raises(ConsumerStoppedError):
        letters.collect(items("bb"), {})


async def test_a_batch_that_comes_again_is_not_counted_twice() -> None:
    letters = new_letters()
    for _ in range(5):
        letters.collect(items("bb"), {})
