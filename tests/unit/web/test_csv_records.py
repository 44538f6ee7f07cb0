"""CSV files cut into records as they come in."""

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.csv_records import (
    RECORD_BYTES_MAX,
    CsvRecord,
    UnreadableCsvError,
    divider_of,
    fields_of,
    read_records,
)


async def arriving(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def records_of(*chunks: bytes) -> list[CsvRecord]:
    return [record async for page in read_records(arriving(chunks)) for record in page]


async def test_records_bear_the_line_they_begin_on() -> None:
    records = await records_of(b'a,b\r\n"1\n2",x\r\n\r\n3,y')
    assert records == [(1, b"a,b"), (2, b'"1\n2",x'), (5, b"3,y")]


async def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert (await records_of(b"\xef\xbb\xbfa,b\n"))[0].raw == b"a,b"


async def test_nothing_is_an_empty_file() -> None:
    assert await records_of() == []
    assert await records_of(b"", b"\n\n") == []


@given(st.lists(st.text(alphabet='a,"\n\r;é', max_size=8), max_size=12), st.data())
async def test_how_a_file_arrives_does_not_matter(fields: list[str], data: st.DataObject) -> None:
    quoted = ['"' + field.replace('"', '""') + '"' for field in fields]
    content = "".join(field + "\n" for field in quoted).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    chunks = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]

    assert await records_of(*chunks) == await records_of(content)
    assert [fields_of(record, ",") for record in await records_of(content)] == [[field.strip()] for field in fields]


@pytest.mark.parametrize(("header", "divider"), [(b"a,b,c", ","), (b"a;b;c", ";"), (b"a\tb", "\t"), (b"alone", ",")])
def test_the_header_says_what_divides_fields(header: bytes, divider: str) -> None:
    assert divider_of(CsvRecord(1, header)) == divider


@pytest.mark.parametrize(
    ("content", "line"),
    [(b'a\n"never closed\nb\n', 2), (b"a\n" + b"x" * (RECORD_BYTES_MAX + 1), 2)],
    ids=["an open quote", "a record without an end"],
)
async def test_what_cannot_be_cut_names_its_line(content: bytes, line: int) -> None:
    with pytest.raises(UnreadableCsvError) as caught:
        await records_of(content)
    assert caught.value.line == line


@pytest.mark.parametrize("raw", [b"\xff,a", b'"a"b,c'], ids=["not UTF-8", "quotes that make no sense"])
def test_a_record_that_cannot_be_read_names_its_line(raw: bytes) -> None:
    with pytest.raises(UnreadableCsvError, match="line 7"):
        fields_of(CsvRecord(7, raw), ",")
