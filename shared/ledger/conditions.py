"""What else a lot's points carry: who pays for them, and for what they may be spent. Data, and its one written form.

The written form enters the lot's key, so it is kept for ever: golden values hold it. What means the same is written
the same, in whatever order it was given.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import gcd
from typing import TypeAlias

NAME_LENGTH_MAX = 128
PAYERS_MAX = 20
WEIGHTS_SUM_MAX = 10_000  # shares in basis points
LIMIT_ENTRIES_MAX = 200  # of one kind
PRICE_MILLIONTHS_MAX = 10**12
_PARSED_MAX = 4_096  # lots of one campaign are alike

DateWindow: TypeAlias = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Funding:
    """Who pays for a lot's points. ``payers`` are ids with weights: who is not a partner pays as well as who is one.

    ``price_millionths`` of the main unit of ``currency`` is what one point costs them together. Weights are kept by
    their ratio: 50 and 50 are 1 and 1.
    """

    payers: tuple[tuple[str, int], ...]
    price_millionths: int | None = None
    currency: str | None = None
    campaign: str | None = None

    def __post_init__(self) -> None:
        names, weights = [name for name, _ in self.payers], [weight for _, weight in self.payers]
        if not 1 <= len(names) <= PAYERS_MAX or len({*names}) < len(names) or min(weights) < 1:
            raise ValueError(f"funding needs 1 to {PAYERS_MAX} payers, each once, with weights of 1 or more")
        if sum(weights) > WEIGHTS_SUM_MAX:
            raise ValueError(f"weights of payers add up to {WEIGHTS_SUM_MAX} at most")
        _require_names([*names, *([] if self.campaign is None else [self.campaign])])
        if (self.price_millionths is None) != (self.currency is None):
            raise ValueError("a price needs a currency, and a currency a price")
        if self.currency is not None and (len(self.currency) != 3 or not self.currency.isalpha()):
            raise ValueError("a currency is named by three letters")
        if self.price_millionths is not None and not 0 <= self.price_millionths <= PRICE_MILLIONTHS_MAX:
            raise ValueError("a price is not negative and has a bound")
        divisor = gcd(*weights)
        reduced = tuple(sorted((name, weight // divisor) for name, weight in self.payers))
        object.__setattr__(self, "payers", reduced)


def store_name(partner_id: str, store_id: str) -> str:
    """How limits and baskets name a store: partners call theirs what they like."""
    return f"{partner_id}/{store_id}"


@dataclass(frozen=True, slots=True)
class Basket:
    """What points are to be spent on, as limits see it. A store is named with its partner (``store_name``)."""

    partner_id: str
    day: date
    store_id: str | None = None
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """For what a lot's points may be spent alone. A kind of limit that names nothing does not limit.

    A basket must satisfy each kind: be at one of the ``partners``, in one of the ``stores``, hold one of the
    ``categories``, on a day within one of ``dates`` (first and last day).
    """

    partners: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    dates: tuple[DateWindow, ...] = ()

    def __post_init__(self) -> None:
        for kind in ("partners", "stores", "categories"):
            names = tuple(sorted({*getattr(self, kind)}))
            _require_names(names)
            object.__setattr__(self, kind, names)
        if any(first > last for first, last in self.dates):
            raise ValueError("a window of dates ends before it starts")
        object.__setattr__(self, "dates", tuple(sorted({*self.dates})))
        if not self.narrowness:
            raise ValueError("limits that limit nothing are no limits")
        if max(map(len, (self.partners, self.stores, self.categories, self.dates))) > LIMIT_ENTRIES_MAX:
            raise ValueError(f"a kind of limit names at most {LIMIT_ENTRIES_MAX}")

    @property
    def narrowness(self) -> int:
        """How many kinds of limits there are: of two lots that a basket may use, the narrower one is spent first."""
        return sum(map(bool, (self.partners, self.stores, self.categories, self.dates)))

    def admit(self, basket: Basket) -> bool:
        """Whether these points may be spent on this basket."""
        return (
            (not self.partners or basket.partner_id in self.partners)
            and (not self.stores or basket.store_id in self.stores)
            and (not self.categories or not basket.categories.isdisjoint(self.categories))
            and (not self.dates or any(first <= basket.day <= last for first, last in self.dates))
        )


@lru_cache(maxsize=_PARSED_MAX)
def write_funding(funding: Funding) -> str:
    """The written form of a funding."""
    return _written(
        campaign=funding.campaign,
        currency=funding.currency,
        payers=[list(payer) for payer in funding.payers],
        price_millionths=funding.price_millionths,
    )


@lru_cache(maxsize=_PARSED_MAX)
def read_funding(written: str) -> Funding:
    """The funding that was written so. Raises ValueError or TypeError where nobody can have written it."""
    found = json.loads(written)
    return Funding(**found | {"payers": tuple((name, weight) for name, weight in found["payers"])})


@lru_cache(maxsize=_PARSED_MAX)
def write_limits(limits: Limits) -> str:
    """The written form of limits."""
    return _written(
        categories=limits.categories,
        dates=[[first.isoformat(), last.isoformat()] for first, last in limits.dates],
        partners=limits.partners,
        stores=limits.stores,
    )


@lru_cache(maxsize=_PARSED_MAX)
def read_limits(written: str) -> Limits:
    """The limits that were written so. Raises ValueError or TypeError where nobody can have written them."""
    found = json.loads(written)
    windows = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in found.pop("dates", [])]
    return Limits(**{kind: tuple(names) for kind, names in found.items()}, dates=tuple(windows))


def _written(**values: object) -> str:
    given = {name: value for name, value in values.items() if value not in (None, (), [])}
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _require_names(names: Iterable[str]) -> None:
    if any(not 1 <= len(name) <= NAME_LENGTH_MAX for name in names):
        raise ValueError(f"payers, campaigns and what limits name have 1 to {NAME_LENGTH_MAX} characters")
