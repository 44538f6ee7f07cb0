"""Documents as they are stored: what was stored once is read for years."""

import pytest

from services.accrual.repository.stored_documents import (
    UnknownFormatError,
    compress,
    compress_all,
    decompress,
)
from tests.support.receipts import line, member, purchase, return_of

_BOUGHT = purchase(1, [line(1, 499), line(2, 1250, "PRODUCE")], owner=member(1))


@pytest.mark.parametrize(
    "body",
    [
        _BOUGHT.to_bytes(),
        return_of(_BOUGHT, 2, {1: 1000}).to_bytes(),
        b"",
        b"{}",
        bytes(range(256)) * 4_000,
    ],
    ids=["purchase", "return", "empty", "small", "large"],
)
def test_a_document_comes_back_as_it_came(body: bytes) -> None:
    assert decompress(compress(body)) == body


def test_many_are_compressed_in_their_order_as_each_would_be() -> None:
    bodies = [_BOUGHT.to_bytes(), b"{}", bytes(range(256)) * 40, b"{}"]
    assert [decompress(stored) for stored in compress_all(bodies)] == bodies
    assert compress_all([]) == []


def test_what_documents_have_in_common_is_not_stored_again() -> None:
    body = _BOUGHT.to_bytes()
    assert len(compress(body)) < len(body) / 2


def test_what_was_stored_under_a_format_stays_readable() -> None:
    stored = bytes.fromhex("0128b52ffd204f8d0000185d7d7d044000158b98241af2a203aa88")
    assert decompress(stored) == b'{"specversion":"1.0","type":"loyalty.purchase.recorded.v1","data":{"lines":[]}}'


@pytest.mark.parametrize("stored", [b"", b"\x00", b"\x02abc", b"x\x9c\x03\x00"])
def test_bytes_of_no_known_format_are_refused(stored: bytes) -> None:
    with pytest.raises(UnknownFormatError, match="names no format"):
        decompress(stored)
