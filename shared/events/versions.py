"""Versions of subjects: of several words about one subject the highest version counts."""

from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar


class Versioned(Protocol):
    """Anything that an owner numbers anew with each change."""

    @property
    def version(self) -> int:
        """The number, which only rises."""


V = TypeVar("V", bound=Versioned)


def highest(items: Iterable[V], key_of: Callable[[V], Hashable]) -> list[V]:
    """One item a key, the one with the highest version: a key twice in one upsert is an error."""
    found: dict[Hashable, V] = {}
    for item in items:
        known = found.get(key_of(item))
        if known is None or known.version < item.version:
            found[key_of(item)] = item
    return list(found.values())
