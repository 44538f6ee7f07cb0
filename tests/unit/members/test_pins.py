"""How tries of a PIN are counted, without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.members.domain.pins import Pin, PinLockedError, PinRules

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = PinRules(tries_max=5, locked_for=timedelta(hours=1), rests_for=timedelta(days=1))
PIN = Pin(UUID(int=1), b"sealed", NOON, NOON)


def test_locks_last_twice_as_long_each_time_up_to_a_day() -> None:
    pin, now, lasted = PIN, NOON, []
    for _ in range(7):
        for _ in range(RULES.tries_max):
            pin = pin.with_try_taken(RULES, now)
        assert pin.locked_until is not None
        with pytest.raises(PinLockedError):
            pin.with_try_taken(RULES, now)
        lasted.append(pin.locked_until - now)
        now = pin.locked_until
    assert [lasts // timedelta(hours=1) for lasts in lasted] == [1, 2, 4, 8, 16, 24, 24]


@given(st.lists(st.integers(0, 3 * 24 * 60), max_size=200))
def test_however_tries_come_five_an_hour_and_then_five_a_day_are_compared(minutes: list[int]) -> None:
    """Within three days: 5 before each of the locks of 1, 2, 4, 8, 16 and 24 hours, and 5 more."""
    pin, compared = PIN, 0
    for minute in sorted(minutes):
        try:
            pin = pin.with_try_taken(RULES, NOON + timedelta(minutes=minute))
        except PinLockedError:
            continue
        compared += 1
    assert compared <= 7 * RULES.tries_max


def test_a_pin_is_not_printed() -> None:
    assert "sealed" not in repr(PIN)
