"""Cursor pages: a list is read in the order of a key, and a page says where the next one starts."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import orjson
from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.web.problems import FieldError, Problem
from shared.web.strict import YEAR_MAX, YEAR_MIN

T = TypeVar("T")
P = TypeVar("P")

PAGE_ITEMS_DEFAULT = 50
PAGE_ITEMS_MAX = 200
CURSOR_LENGTH_MAX = 1_024
NUMBER_MAX = 2**63 - 1


class Page(BaseModel, Generic[T]):
    """A part of a list. ``next_cursor`` is absent on the last page; it means nothing but to be sent back."""

    model_config = ConfigDict(frozen=True)

    items: list[T]
    next_cursor: str | None = Field(default=None, description="Send it as ?cursor= for the next page.")

    @classmethod
    def of(cls, found: Sequence[Any], limit: int, items: Sequence[T], position: Sequence[object]) -> "Page[T]":
        """A page of the first ``limit`` of ``found``, which was read with a limit of ``limit + 1``.

        ``items`` are the answers for those first ones, ``position`` is the key of the last of them.
        """
        return cls(items=list(items), next_cursor=encode_cursor(position) if len(found) > limit else None)


class PageRequest(BaseModel):
    """Which page is asked for. Read ``limit + 1`` rows after ``position``: one too many tells that more follow."""

    model_config = ConfigDict(frozen=True)

    limit: int
    cursor: str | None

    def position(self, adapter: TypeAdapter[P]) -> P | None:
        """The key after which the page starts, read strictly as ``adapter`` says; None for the first page.

        Raises:
            Problem: 400 for a cursor that this programme did not give out for this list.
        """
        return None if self.cursor is None else decode_cursor(self.cursor, adapter)


def encode_cursor(position: Sequence[object]) -> str:
    """The key of a page's last item as an opaque text: base64url of JSON (UUIDs, times and dates as texts)."""
    # default: asyncpg's UUIDs are a subclass, which orjson does not take by itself
    return base64.urlsafe_b64encode(orjson.dumps(list(position), default=str)).rstrip(b"=").decode()


def decode_cursor(cursor: str, adapter: TypeAdapter[P]) -> P:
    """The inverse of ``encode_cursor`` for a position of the given type, such as ``tuple[datetime, UUID]``.

    Raises:
        Problem: 400.
    """
    try:
        document = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = adapter.validate_json(document, strict=True)
        _refuse_what_no_row_has(position)
    except (binascii.Error, ValueError) as error:
        raise invalid_cursor() from error
    return position


def _refuse_what_no_row_has(position: object) -> None:
    """Raise ValueError for a key that PostgreSQL cannot even compare with: such a cursor was made up."""
    for part in position if isinstance(position, tuple) else (position,):
        if isinstance(part, str) and "\0" in part:
            raise ValueError("a text with a zero byte")
        if isinstance(part, int) and abs(part) > NUMBER_MAX:
            raise ValueError("a number of more than 64 bits")
        if isinstance(part, datetime) and not YEAR_MIN <= part.year <= YEAR_MAX:
            raise ValueError("a time that has no equal in UTC")


def invalid_cursor() -> Problem:
    """400: the cursor is none of this list's."""
    detail = "The cursor is not one that this list gave out: start again without a cursor."
    return Problem(400, "invalid-cursor", detail, errors=(FieldError(parameter="query cursor", detail=detail),))


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=PAGE_ITEMS_MAX, description="Items a page.")] = PAGE_ITEMS_DEFAULT,
    cursor: Annotated[
        str | None, Query(max_length=CURSOR_LENGTH_MAX, description="next_cursor of the page before.")
    ] = None,
) -> PageRequest:
    return PageRequest(limit=limit, cursor=cursor)


Paging: TypeAlias = Annotated[PageRequest, Depends(_page_request)]
"""A route's parameter: ``?limit=&cursor=``."""
