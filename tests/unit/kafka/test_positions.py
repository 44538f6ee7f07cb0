"""Up to which business time a partition has been read: the newest sample whose end it has reached."""

from datetime import UTC, datetime, timedelta

from aiokafka import TopicPartition

from shared.kafka import ReadPosition
from shared.kafka.positions import SAMPLES_MAX, Positions

START = datetime(2026, 11, 1, tzinfo=UTC)
ZERO, ONE = TopicPartition("t.topic", 0), TopicPartition("t.topic", 1)


def new_positions() -> Positions:
    return Positions(lambda name: name.removeprefix("t."))


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def test_the_newest_end_that_was_reached_names_the_time() -> None:
    positions = new_positions()
    for seconds, end in ((0, 10), (1, 20), (2, 30)):
        positions.sample(at(seconds), {ZERO: end})
    told = [positions.news({ZERO: offset})[0].at for offset in (9, 10, 19, 20, 30, 31)]
    assert told == [None, at(0), at(0), at(1), at(2), at(2)]


def test_a_partition_that_was_not_asked_about_has_no_time() -> None:
    positions = new_positions()
    positions.sample(at(0), {ZERO: 0})
    assert positions.news({ONE: 5}) == (ReadPosition("topic", 1, 5, None),)


def test_only_what_changed_is_news() -> None:
    positions = new_positions()
    positions.sample(at(0), {ZERO: 5, ONE: 5})
    first = positions.news({ZERO: 5, ONE: 4})
    positions.told(first)
    assert positions.news({ZERO: 5, ONE: 4}) == ()
    assert positions.news({ZERO: 5, ONE: 5}) == (ReadPosition("topic", 1, 5, at(0)),)
    positions.sample(at(1), {ZERO: 5, ONE: 6})
    assert positions.news({ZERO: 5, ONE: 4}) == (ReadPosition("topic", 0, 5, at(1)),)


def test_after_a_revocation_everything_is_news_again() -> None:
    positions = new_positions()
    positions.handled[ZERO] = 5
    positions.told(positions.news({ZERO: 5}))
    positions.forget()
    assert positions.handled == {}
    assert len(positions.news({ZERO: 5})) == 1


def test_lag_is_what_was_not_handled_at_the_last_sample() -> None:
    positions = new_positions()
    assert positions.lag() == 0
    positions.handled.update({ZERO: 5, ONE: 9})
    positions.sample(at(0), {ZERO: 8, ONE: 9})
    assert positions.lag() == 3


def test_samples_are_bounded() -> None:
    positions = new_positions()
    for seconds in range(SAMPLES_MAX + 10):
        positions.sample(at(seconds), {ZERO: seconds})
    assert positions.news({ZERO: 5})[0].at is None
    assert positions.news({ZERO: 10})[0].at == at(10)
