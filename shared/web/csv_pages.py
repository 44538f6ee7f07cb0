"""A CSV file of records, taken in page by page, so that one that breaks off goes on where it stopped."""

import hashlib
from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from shared.passing import PassingError
from shared.web.csv_records import CsvRecord, UnreadableCsvError, divider_of, fields_of, read_records

NOTHING_TAKEN = hashlib.sha256().digest()


class UnusableHeaderError(ValueError):
    """The first line does not name columns that records can be made of."""


class AnotherFileError(Exception):
    """What was sent differs from what was taken in before."""


class ImportBusyError(PassingError):
    """Somebody else sends this import's file just now."""


@dataclass(frozen=True, slots=True)
class LineRefusal:
    """Why the record on this line came to nothing: a code and a column, never a value."""

    line: int
    reason: str
    column: str | None


@dataclass(frozen=True, slots=True)
class CsvPage:
    """Records to take in one transaction. ``digest`` is of all of the file's up to and including them."""

    records: Sequence[CsvRecord]
    columns: tuple[str, ...]
    divider: str
    digest: bytes
    is_last: bool


class _Taken(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def records_taken(self) -> int: ...
    @property
    def content_digest(self) -> bytes: ...


T = TypeVar("T", bound=_Taken)


async def take_pages(
    chunks: AsyncIterable[bytes],
    taken: T,
    header: Callable[[Sequence[str]], tuple[str, ...]],
    take_page: Callable[[T, CsvPage], Awaitable[T]],
    *,
    records_max: int,
) -> T:
    """Hand on what of a file was not taken before, ``records_max`` records at a time; how far it is then.

    ``take_page`` commits a page together with how far the file has come, and says so. Safe to repeat: the same file,
    sent again from its beginning, goes on after the last page that was committed, and a file that is finished changes
    nothing. Everything that was committed stays, whatever fails.

    Raises:
        UnusableHeaderError, UnreadableCsvError: what is wrong, and on which line.
        AnotherFileError: the file differs from what was taken in before.
    """
    digest, number = hashlib.sha256(), 0
    columns: tuple[str, ...] = ()
    divider = ","
    page: list[CsvRecord] = []

    async def commit(*, is_last: bool) -> T:
        if taken.state == "finished":
            raise AnotherFileError("the file has more records than when it was finished: start a new import")
        return await take_page(taken, CsvPage(page, columns, divider, digest.digest(), is_last))

    async for records in read_records(chunks):
        for record in records:
            digest.update(record.raw + b"\n")
            if not columns:
                divider = divider_of(record)
                columns = header(fields_of(record, divider))
                continue
            number += 1
            if number > taken.records_taken:
                page.append(record)
            else:
                _require_same(taken, number, digest.digest())
            if len(page) == records_max:
                taken = await commit(is_last=False)
                page = []
    if not columns:
        raise UnusableHeaderError("the file is empty: its first line names the columns")
    if number < taken.records_taken:
        raise AnotherFileError("the file ends before what was taken in already: start a new import")
    return taken if taken.state == "finished" and not page else await commit(is_last=True)


def _require_same(taken: _Taken, number: int, digest: bytes) -> None:
    if number == taken.records_taken and digest != taken.content_digest:
        raise AnotherFileError("the file differs from the one that was taken in before: start a new import")


def judged_header(names: Sequence[str], *, known: Sequence[str], required: Collection[str]) -> tuple[str, ...]:
    """The columns of a file, whatever their letter case.

    Raises:
        UnusableHeaderError: one is missing, unknown or named twice; the message names them and all that are known.
    """
    columns = tuple(name.lower() for name in names)
    told = f"known columns are {', '.join(known)}"
    if unknown := [name for name in columns if name not in known]:
        raise UnusableHeaderError(f"the header has unknown columns: {', '.join(unknown)[:200]}; {told}")
    if missing := [name for name in required if name not in columns]:
        raise UnusableHeaderError(f"the header lacks columns: {', '.join(missing)}; {told}")
    if len(set(columns)) != len(columns):
        raise UnusableHeaderError("the header names a column twice")
    return columns


def fields_or_refusal(record: CsvRecord, columns: Sequence[str], divider: str) -> list[str] | LineRefusal:
    """The record's fields, one a column; else why it has none."""
    try:
        fields = fields_of(record, divider)
    except UnreadableCsvError:
        return LineRefusal(record.line, "unreadable", None)
    if len(fields) != len(columns):
        return LineRefusal(record.line, "wrong_number_of_fields", None)
    return fields
