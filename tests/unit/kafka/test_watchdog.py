from shared.kafka.watchdog import Watchdog


def test_a_partition_that_stands_still_before_its_end_is_stuck() -> None:
    watchdog = Watchdog[str](10)
    found = [watchdog.observe(4, {"a": 7, "b": 3}, {"a": 9, "b": 3}) for _ in range(5)]
    assert found == [None, None, None, "a", "a"]


def test_any_movement_counts() -> None:
    watchdog = Watchdog[str](10)
    assert all(watchdog.observe(4, {"a": offset}, {"a": 100}) is None for offset in range(20))


def test_time_in_which_nobody_polled_does_not_count() -> None:
    watchdog = Watchdog[str](10)
    assert all(watchdog.observe(0, {"a": 7}, {"a": 9}) is None for _ in range(100))


def test_an_end_that_was_reached_begins_anew() -> None:
    watchdog = Watchdog[str](10)
    for end in (9, 9, 7, 9, 9, 9):
        assert watchdog.observe(4, {"a": 7}, {"a": end}) is None


def test_a_partition_without_any_position_is_stuck_too() -> None:
    watchdog = Watchdog[str](10)
    found = [watchdog.observe(6, {"a": -1}, {"a": 0}) for _ in range(3)]
    assert found == [None, None, "a"]
