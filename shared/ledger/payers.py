"""Splits points among their payers, to the last point, however they come and go. Pure.

A share follows from a running total alone. What a movement from one total to another costs each payer is the
difference of two shares, so that any movements add up, and a return gives back exactly what was taken.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache

_ROUNDS_CACHED_MAX = 64  # of 400 kB each at most: 20 payers, in basis points


def shares_of(weights: Sequence[int], total: int) -> tuple[int, ...]:
    """How many of the first ``total`` points each payer pays for; they add up to ``total``.

    Each next point is the payer's whose share lags most behind its weight (the first named among equals). So no share
    falls while the total rises, as shares by largest remainder of the total alone may (the Alabama paradox), and after
    every round of as many points as the weights add up to each payer has paid exactly its weight.
    """
    if total < 0:
        raise ValueError("a running total is not negative")
    rounds, rest = divmod(total, sum(weights))
    begun = _round(tuple(weights))
    return tuple(rounds * weight + shares[rest] for weight, shares in zip(weights, begun, strict=True))


def split(weights: Sequence[int], before: int, after: int) -> tuple[int, ...]:
    """Each payer's part of the points by which a running total rose, or (negative) fell."""
    return tuple(now - then for now, then in zip(shares_of(weights, after), shares_of(weights, before), strict=True))


@lru_cache(maxsize=_ROUNDS_CACHED_MAX)
def _round(weights: tuple[int, ...]) -> "list[array[int]]":
    """Each payer's share after 0, 1, 2 … points of one round."""
    whole = sum(weights)
    now = [0] * len(weights)
    rounds = [array("H", [0]) for _ in weights]
    for total in range(1, whole):
        behind = [weight * total - whole * share for weight, share in zip(weights, now, strict=True)]
        now[behind.index(max(behind))] += 1
        for shares, share in zip(rounds, now, strict=True):
            shares.append(share)
    return rounds
