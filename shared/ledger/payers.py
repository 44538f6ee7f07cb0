"""Splits points among their payers, to the last point, however they come and go. Pure.

A share follows from a running total alone. What a movement from one total to another costs each payer is the
difference of two shares, so that any movements add up, and a return gives back exactly what was taken.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

_SEQUENCES_CACHED_MAX = 256


def shares_of(weights: Sequence[int], total: int) -> tuple[int, ...]:
    """How many of the first ``total`` points each payer pays for; they add up to ``total``.

    Each next point is the payer's whose share lags most behind its weight (the first named among equals). So no share
    falls while the total rises, as shares by largest remainder of the total alone may (the Alabama paradox), and after
    every round of as many points as the weights add up to each payer has paid exactly its weight.
    """
    if total < 0:
        raise ValueError("a running total is not negative")
    rounds, rest = divmod(total, sum(weights))
    begun = _round(tuple(weights))[rest]
    return tuple(rounds * weight + more for weight, more in zip(weights, begun, strict=True))


def split(weights: Sequence[int], before: int, after: int) -> tuple[int, ...]:
    """Each payer's part of the points by which a running total rose, or (negative) fell."""
    return tuple(now - then for now, then in zip(shares_of(weights, after), shares_of(weights, before), strict=True))


@lru_cache(maxsize=_SEQUENCES_CACHED_MAX)
def _round(weights: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The shares after 0, 1, 2 … points of one round."""
    whole = sum(weights)

    def with_next(shares: tuple[int, ...], total: int) -> tuple[int, ...]:
        behind = [weight * total - whole * share for weight, share in zip(weights, shares, strict=True)]
        next_payer = behind.index(max(behind))
        return (*shares[:next_payer], shares[next_payer] + 1, *shares[next_payer + 1 :])

    return list(accumulate(range(1, whole), with_next, initial=(0,) * len(weights)))
