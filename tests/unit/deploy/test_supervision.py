from collections import deque

from deploy.local.supervision import RESTARTS_MAX, wait_after_crash


def test_waits_double_from_a_fifth_of_a_second_to_five_seconds_then_it_gives_up() -> None:
    crashes: deque[float] = deque()
    waits = [wait_after_crash(crashes, now_seconds=float(second)) for second in range(RESTARTS_MAX + 1)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0, 5.0, None]


def test_crashes_of_more_than_a_minute_ago_are_forgotten() -> None:
    crashes: deque[float] = deque()
    for second in range(RESTARTS_MAX):
        wait_after_crash(crashes, now_seconds=float(second))
    assert wait_after_crash(crashes, now_seconds=RESTARTS_MAX + 60.0) == 0.2
