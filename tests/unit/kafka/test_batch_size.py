import pytest

from shared.kafka import BatchSize
from shared.kafka.batch_size import RECORDS_WORTHWHILE


def test_it_shrinks_at_once_and_grows_slowly() -> None:
    size = BatchSize(800, hold_seconds_max=0.010)
    size.observe(0.0125)
    assert size.records == 512  # as many as would have taken 8 ms
    size.observe(0.002)
    assert size.records == 563


def test_one_slow_batch_halves_it_at_most() -> None:
    size = BatchSize(800, hold_seconds_max=0.010)
    size.observe(1.0)
    assert size.records == 400


def test_near_its_ceiling_it_stays() -> None:
    size = BatchSize(800, hold_seconds_max=0.010)
    size.halve()
    for hold_seconds in (0.008, 0.009, 0.010):
        size.observe(hold_seconds)
    assert size.records == 400


def test_it_never_leaves_its_bounds() -> None:
    size = BatchSize(200, hold_seconds_max=0.010)
    for _ in range(10):
        size.halve()
    assert size.records == 1
    for _ in range(100):
        size.observe(0.0)
    assert size.records == 200


def test_slow_locks_alone_leave_a_batch_worth_its_while() -> None:
    size = BatchSize(200, hold_seconds_max=0.010)
    for _ in range(10):
        size.observe(1.0)
    assert size.records == RECORDS_WORTHWHILE
    size.halve()
    size.observe(1.0)
    assert size.records == RECORDS_WORTHWHILE // 2


def test_a_success_makes_it_grow_only_where_nobody_measures_holds() -> None:
    unmeasured, measured = BatchSize(100), BatchSize(100, hold_seconds_max=0.010)
    for size in (unmeasured, measured):
        size.halve()
        size.succeeded()
    assert (unmeasured.records, measured.records) == (55, 50)


def test_there_is_room_for_one_record_at_least() -> None:
    with pytest.raises(ValueError, match="one record"):
        BatchSize(0)
