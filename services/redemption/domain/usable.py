"""What points may be spent on, in words that a member understands. Pure."""

from collections.abc import Iterator
from datetime import date

from shared.ledger import Limits, Usable


def usable_in_words(usable: Usable) -> str:
    """For instance: 40 usable at fuel, for goods of oil or coffee, until 2026-12-31."""
    if usable.limits is None:
        return f"{usable.available} usable anywhere"
    return f"{usable.available} usable {', '.join(_limits(usable.limits))}"


def _limits(limits: Limits) -> Iterator[str]:
    if limits.partners:
        yield f"at {_any_of(limits.partners)}"
    if limits.stores:
        yield f"in store {_any_of(limits.stores)}"
    if limits.categories:
        yield f"for goods of {_any_of(limits.categories)}"
    if limits.dates:
        yield _any_of([_window(first, last) for first, last in limits.dates])


def _window(first: date, last: date) -> str:
    """A side on which a window is open is not spoken of."""
    if first == date.min:
        return f"until {last}"
    if last == date.max:
        return f"from {first}"
    return f"from {first} until {last}"


def _any_of(names: tuple[str, ...] | list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
