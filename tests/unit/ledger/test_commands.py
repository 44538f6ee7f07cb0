"""Commands that cannot be meant are refused where they are made."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from shared.ledger import (
    AdjustDown,
    AdjustUp,
    Capture,
    ClawBack,
    Earn,
    EarnPending,
    Expire,
    LotTerms,
    Refund,
    Reinstate,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
    WriteOff,
)
from shared.ledger.bounds import POINTS_MAX, REFERENCE_BYTES_MAX
from shared.ledger.terms import AWARD_BYTES_MAX

OWNER, HOLD = UUID(int=1), UUID(int=2)
TERMS = LotTerms("grocer", date(2026, 3, 1), None)

WITH_POINTS: list[Callable[[int], object]] = [
    lambda points: Earn(OWNER, "points", b"r", points, TERMS),
    lambda points: EarnPending(OWNER, "points", b"r", points, TERMS, b"a"),
    lambda points: ClawBack(OWNER, "points", b"r", points, TERMS, b"a"),
    lambda points: Suspend(OWNER, "points", b"r", points, TERMS, b"a"),
    lambda points: Reserve(OWNER, "points", b"r", points, HOLD),
    lambda points: Capture(OWNER, "points", b"r", points, HOLD, "fuel"),
    lambda points: SpendLate(OWNER, "points", b"r", points, "fuel"),
    lambda points: AdjustUp(OWNER, "points", b"r", points, TERMS),
    lambda points: AdjustDown(OWNER, "points", b"r", points),
    lambda points: Reinstate(OWNER, "points", b"r", points, TERMS),
    lambda points: Refund(OWNER, "points", b"r", points, HOLD, "fuel"),
    lambda points: WriteOff(OWNER, "points", b"r", points),
]
WITH_REFERENCE: list[Callable[[bytes], object]] = [
    lambda reference: Earn(OWNER, "points", reference, 1, TERMS),
    lambda reference: Release(OWNER, "points", reference, TERMS, b"a"),
    lambda reference: Expire(OWNER, "points", reference, TERMS),
    lambda reference: Void(OWNER, "points", reference, HOLD),
]
WITH_AWARD: list[Callable[[bytes], object]] = [
    lambda award: EarnPending(OWNER, "points", b"r", 1, TERMS, award),
    lambda award: ClawBack(OWNER, "points", b"r", 1, TERMS, award),
    lambda award: Suspend(OWNER, "points", b"r", 1, TERMS, award),
    lambda award: Release(OWNER, "points", b"r", TERMS, award),
]


@pytest.mark.parametrize("make", WITH_POINTS)
def test_points_are_positive_and_bounded(make: Callable[[int], object]) -> None:
    make(1)
    make(POINTS_MAX)
    for points in (0, -1, POINTS_MAX + 1):
        with pytest.raises(ValueError, match="points"):
            make(points)


@pytest.mark.parametrize("make", WITH_REFERENCE)
def test_a_reference_names_its_effect(make: Callable[[bytes], object]) -> None:
    make(b"x" * REFERENCE_BYTES_MAX)
    for reference in (b"", b"x" * (REFERENCE_BYTES_MAX + 1)):
        with pytest.raises(ValueError, match="reference"):
            make(reference)


@pytest.mark.parametrize("make", WITH_AWARD)
def test_an_award_is_named(make: Callable[[bytes], object]) -> None:
    make(b"x" * AWARD_BYTES_MAX)
    for award in (b"", b"x" * (AWARD_BYTES_MAX + 1)):
        with pytest.raises(ValueError, match="award"):
            make(award)
