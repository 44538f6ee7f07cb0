"""Payers' shares add up to the last point, whatever comes and goes."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.payers import shares_of, split

WEIGHTS = st.lists(st.integers(1, 50), min_size=1, max_size=5)
MOVEMENTS = st.lists(st.integers(-40, 60), max_size=30)


def levels(movements: Sequence[int]) -> list[int]:
    """Running totals of points that came and went, never below zero."""
    return list(accumulate(movements, lambda total, change: max(total + change, 0), initial=0))


@given(weights=WEIGHTS, movements=MOVEMENTS)
def test_every_movement_is_split_to_the_last_point_and_all_together_are_the_share_of_what_is_left(
    weights: list[int], movements: list[int]
) -> None:
    paid = [0] * len(weights)
    for before, after in pairwise(levels(movements)):
        parts = split(weights, before, after)
        assert sum(parts) == after - before
        assert all(part >= 0 for part in parts) or after < before  # nobody is paid back by what others gain
        paid = [so_far + part for so_far, part in zip(paid, parts, strict=True)]
        assert tuple(paid) == shares_of(weights, after)
        assert min(paid) >= 0


@given(weights=WEIGHTS, total=st.integers(0, 10**15), points=st.integers(0, 10**6))
def test_what_is_taken_and_given_back_leaves_no_trace(weights: list[int], total: int, points: int) -> None:
    there, back = split(weights, total, total + points), split(weights, total + points, total)
    assert [a + b for a, b in zip(there, back, strict=True)] == [0] * len(weights)


@given(weights=WEIGHTS, total=st.integers(0, 10**15))
def test_a_share_is_never_a_round_away_from_its_weight(weights: list[int], total: int) -> None:
    shares, whole = shares_of(weights, total), sum(weights)
    assert sum(shares) == total
    for weight, share in zip(weights, shares, strict=True):
        assert share * whole > weight * total - whole * len(weights)
        assert share * whole < weight * total + whole  # it gets a point only while it lags


@given(weights=WEIGHTS, rounds=st.integers(0, 10**12))
def test_after_whole_rounds_everybody_has_paid_the_weight(weights: list[int], rounds: int) -> None:
    assert shares_of(weights, rounds * sum(weights)) == tuple(rounds * weight for weight in weights)


def test_a_worked_example() -> None:
    """Three payers, 5 : 3 : 2. The tenth point ends the round."""
    shares = [shares_of((5, 3, 2), total) for total in range(11)]
    assert shares[:6] == [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 1), (3, 1, 1)]
    assert shares[10] == (5, 3, 2)


def test_thirds_in_basis_points() -> None:
    """6,667 : 3,333 pay two of three points, and of 10,000 exactly their basis points."""
    assert [shares_of((6_667, 3_333), total) for total in (1, 2, 3, 100)] == [(1, 0), (1, 1), (2, 1), (67, 33)]
    assert shares_of((6_667, 3_333), 10_000) == (6_667, 3_333)


def test_a_running_total_is_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        shares_of((1, 1), -1)
