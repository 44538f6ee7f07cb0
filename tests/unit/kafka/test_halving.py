"""Halving finds exactly the records that are bad, and hands every other over once, in order."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.halving import handle_by_halves

NO_LIMIT = 1_000_000


class Refusing:
    """Takes whole parts or raises, as a transaction does."""

    def __init__(self, bad: frozenset[int]) -> None:
        self.bad = bad
        self.taken: list[int] = []
        self.calls = 0

    async def __call__(self, part: Sequence[int]) -> None:
        self.calls += 1
        if self.bad & set(part):
            raise ValueError(min(self.bad & set(part)))
        self.taken += part


def is_permanent(error: Exception) -> bool:
    return isinstance(error, ValueError)


@given(st.integers(1, 200), st.data())
async def test_only_what_is_bad_is_rejected_and_the_rest_is_handled_once_in_order(
    count: int, data: st.DataObject
) -> None:
    bad = data.draw(st.frozensets(st.integers(0, count - 1)))
    handle = Refusing(bad)
    rejected = await handle_by_halves(range(count), handle, is_permanent, NO_LIMIT)
    assert rejected.keys() == bad
    assert handle.taken == [number for number in range(count) if number not in bad]
    assert all(error.args == (place,) for place, error in rejected.items())
    assert handle.calls <= 2 * count


async def test_one_bad_record_costs_two_calls_a_halving() -> None:
    handle = Refusing(frozenset({613}))
    await handle_by_halves(range(1_000), handle, is_permanent, NO_LIMIT)
    assert handle.calls <= 2 * 10 + 1


async def test_records_that_spoil_only_each_other_are_handled_apart() -> None:
    class NotTogether(Refusing):
        async def __call__(self, part: Sequence[int]) -> None:
            if {3, 90} <= set(part):
                raise ValueError("these two")
            await super().__call__(part)

    handle = NotTogether(frozenset())
    assert await handle_by_halves(range(100), handle, is_permanent, NO_LIMIT) == {}
    assert handle.taken == list(range(100))


async def test_a_failure_that_is_not_permanent_is_raised_at_once() -> None:
    class Away(Refusing):
        async def __call__(self, part: Sequence[int]) -> None:
            if 60 in part and 0 not in part:
                self.calls += 1
                raise ConnectionError
            await super().__call__(part)

    handle = Away(frozenset({1}))
    with pytest.raises(ConnectionError):
        await handle_by_halves(range(100), handle, is_permanent, NO_LIMIT)
    assert handle.taken == [0, *range(2, 50)]


async def test_it_gives_up_after_too_many_in_a_row() -> None:
    handle = Refusing(frozenset(range(1_000)))
    rejected = await handle_by_halves(range(1_000), handle, is_permanent, 20)
    assert list(rejected) == list(range(21))
    assert handle.calls < 60
