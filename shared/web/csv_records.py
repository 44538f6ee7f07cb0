"""A CSV file as it comes in, record by record, in bounded memory: for uploads that are larger than a body may be.

UTF-8 with or without a mark, records ended by LF or CRLF, fields divided by comma, semicolon or tab (the header says
which). A quoted field may hold line ends.
"""

import csv
from collections.abc import AsyncIterable, AsyncIterator
from typing import NamedTuple

RECORD_BYTES_MAX = 16_384
_DIVIDERS = (",", ";", "\t")


class CsvRecord(NamedTuple):
    """One record as it stood in the file, without its line end; ``line`` is the first of its lines, from 1."""

    line: int
    raw: bytes


class UnreadableCsvError(ValueError):
    """The file cannot be read beyond this line; what came before it stands."""

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(f"line {line}: {detail}")
        self.line = line


async def read_records(chunks: AsyncIterable[bytes]) -> AsyncIterator[list[CsvRecord]]:
    """The records of a file, those of one chunk at a time. Blank lines are passed over.

    Raises:
        UnreadableCsvError: a record is longer than ``RECORD_BYTES_MAX``, or a quote is never closed.
    """
    splitter = _Splitter()
    async for chunk in chunks:
        if records := splitter.feed(chunk):
            yield records
    if records := splitter.finish():
        yield records


def fields_of(record: CsvRecord, divider: str) -> list[str]:
    """The fields of one record, trimmed.

    Raises:
        UnreadableCsvError: not UTF-8, or quotes that make no sense.
    """
    try:
        fields = next(csv.reader((record.raw.decode("utf-8"),), delimiter=divider, strict=True))
    except UnicodeDecodeError:
        raise UnreadableCsvError(record.line, "not UTF-8") from None
    except (csv.Error, StopIteration):
        raise UnreadableCsvError(record.line, "its quotes make no sense") from None
    return [field.strip() for field in fields]


def divider_of(header: CsvRecord) -> str:
    """What divides the fields: of comma, semicolon and tab the one that the header has most of."""
    return max(_DIVIDERS, key=lambda divider: header.raw.count(divider.encode()))


class _Splitter:
    """Cuts bytes into records. A line end within quotes ends none: then the quotes so far are odd in number."""

    def __init__(self) -> None:
        self._rest = b""  # the last line, not ended yet
        self._open: list[bytes] = []  # lines of a record whose quote is still open
        self._next_line = 1
        self._record_line = 1

    def feed(self, chunk: bytes) -> list[CsvRecord]:
        if self._next_line == 1 and not self._rest and not self._open:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        records = [record for line in lines if (record := self._take(line)) is not None]
        self._check_length(self._rest)
        return records

    def finish(self) -> list[CsvRecord]:
        last = self._take(self._rest) if self._rest else None
        if self._open:
            raise UnreadableCsvError(self._record_line, "a quote that is opened here is never closed")
        return [] if last is None else [last]

    def _take(self, line: bytes) -> CsvRecord | None:
        raw = b"\n".join([*self._open, line])
        self._check_length(raw)
        self._next_line += 1
        self._open.append(line)
        if raw.count(b'"') % 2:
            return None
        self._open.clear()
        raw = raw.removesuffix(b"\r")
        return CsvRecord(self._record_line, raw) if raw.strip() else None

    def _check_length(self, raw: bytes) -> None:
        if not self._open:
            self._record_line = self._next_line
        if len(raw) > RECORD_BYTES_MAX:
            raise UnreadableCsvError(self._record_line, f"a record has more than {RECORD_BYTES_MAX} bytes")
