"""A list that is made of several: all of the first, then all of the second, in one row of pages."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeAlias, TypeVar
from uuid import UUID

from pydantic import Field, TypeAdapter

from shared.database import Transaction
from shared.web.paging import PageRequest, encode_cursor, invalid_cursor

T = TypeVar("T")
K = TypeVar("K")

SECTIONS_MAX = 20
KEY_LENGTH_MAX = 740  # a natural key and a hash in base64url; a cursor holds no more
NUMBER_MAX = 2**63 - 1

_POSITION = TypeAdapter(
    tuple[Annotated[int, Field(ge=0, lt=SECTIONS_MAX)], Annotated[str, Field(max_length=KEY_LENGTH_MAX)] | None]
)

Section: TypeAlias = Callable[[Transaction, UUID, str | None, int], Awaitable[Sequence[tuple[str, T]]]]
"""Rows of one member after a key (None: from the first on), in the order of their keys, each with its key as text.
Fewer than were asked for only where no more follow. It reads its key with ``read_key``."""


class UnknownKeyError(Exception):
    """A key that the section never gave out."""


@dataclass(frozen=True, slots=True)
class SectionsPage(Generic[T]):
    """Some of the rows; ``next_cursor`` is None where nothing follows."""

    rows: Sequence[T]
    next_cursor: str | None


async def read_sections(
    transaction: Transaction, member_id: UUID, sections: Sequence[Section[T]], paging: PageRequest
) -> SectionsPage[T]:
    """One page over all sections, at most ``paging.limit`` rows.

    Raises:
        Problem: 400 for a cursor that this list did not give out.
    """
    index, after = paging.position(_POSITION) or (0, None)
    if index >= len(sections):
        raise invalid_cursor()
    rows: list[T] = []
    while index < len(sections):
        wanted = paging.limit - len(rows)
        try:
            found = await sections[index](transaction, member_id, after, wanted + 1)
        except UnknownKeyError as error:
            raise invalid_cursor() from error
        rows += [row for _, row in found[:wanted]]
        if len(found) > wanted:
            last = found[wanted - 1][0] if wanted else after
            return SectionsPage(rows, encode_cursor((index, last)))
        index, after = index + 1, None
    return SectionsPage(rows, None)


def read_key(after: str | None, read: Callable[[str], K]) -> K | None:
    """The key that a section gave as text; None where the section begins.

    Raises:
        UnknownKeyError: ``read`` does not take it (a ``ValueError``).
    """
    try:
        return None if after is None else read(after)
    except ValueError as error:
        raise UnknownKeyError from error


def read_number(text: str) -> int:
    """A number as the database counts rows."""
    number = int(text)
    if not 0 <= number <= NUMBER_MAX:
        raise ValueError("no row has such a number")
    return number
