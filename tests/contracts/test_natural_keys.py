"""Twenty natural keys, written out. They are the identity of receipts for ever: nothing here may ever change."""

from datetime import date
from typing import assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.receipt_key import (
    DocumentKey,
    FiscalKey,
    MalformedReceiptIdError,
    SequenceKey,
    decode_receipt_key,
    encode_receipt_key,
    natural_key_of,
    partner_of,
    receipt_id_of,
)

Key = SequenceKey | FiscalKey | DocumentKey

GLN = "5790001330552"
FIRST = date(2026, 11, 1)


def sequence(store_id: str, till_id: str, business_date: date, shift: int, number: int) -> SequenceKey:
    return SequenceKey(
        scheme="sequence", store_id=store_id, till_id=till_id, business_date=business_date, shift=shift, number=number
    )


def fiscal(drive: str, number: int) -> FiscalKey:
    return FiscalKey(scheme="fiscal", drive=drive, number=number)


def document(source: str, number: str) -> DocumentKey:
    return DocumentKey(scheme="document", source=source, number=number)


# Written in the parts of the encoding: partner 00, scheme 00, then the scheme's own fields.
GROCER_SEQUENCE = "67726f63657200 73657175656e636500"
GROCER_FISCAL = "67726f63657200 66697363616c00"
GROCER_DOCUMENT = "67726f63657200 646f63756d656e7400"
SEQUENCE = "73657175656e636500"
KITCHEN = "4bc3bc63686500 e284963700"
STORE_1 = "3537393030303133333035353200 3100"

GOLDEN: list[tuple[str, str, Key, str]] = [
    (
        "a plain receipt",
        "grocer",
        sequence(GLN, "1", FIRST, 1, 1),
        f"{GROCER_SEQUENCE} 00000000000b4a51 {STORE_1} 0000000000000001 0000000000000001",
    ),
    (
        "the next number",
        "grocer",
        sequence(GLN, "1", FIRST, 1, 2),
        f"{GROCER_SEQUENCE} 00000000000b4a51 {STORE_1} 0000000000000001 0000000000000002",
    ),
    (
        "the next shift",
        "grocer",
        sequence(GLN, "1", FIRST, 2, 1),
        f"{GROCER_SEQUENCE} 00000000000b4a51 {STORE_1} 0000000000000002 0000000000000001",
    ),
    (
        "till 01 is not till 1: codes are texts",
        "grocer",
        sequence(GLN, "01", FIRST, 1, 1),
        f"{GROCER_SEQUENCE} 00000000000b4a51 3537393030303133333035353200 303100 0000000000000001 0000000000000001",
    ),
    (
        "the next day",
        "grocer",
        sequence(GLN, "1", date(2026, 11, 2), 1, 1),
        f"{GROCER_SEQUENCE} 00000000000b4a52 {STORE_1} 0000000000000001 0000000000000001",
    ),
    (
        "another partner",
        "fuel",
        sequence(GLN, "1", FIRST, 1, 1),
        f"6675656c00 73657175656e636500 00000000000b4a51 {STORE_1} 0000000000000001 0000000000000001",
    ),
    (
        "blanks around texts do not count",
        "grocer",
        sequence(f" {GLN} ", " 1 ", FIRST, 1, 1),
        f"{GROCER_SEQUENCE} 00000000000b4a51 {STORE_1} 0000000000000001 0000000000000001",
    ),
    (
        "the least of everything",
        "grocer",
        sequence("s", "t", date.min, 0, 0),
        f"{GROCER_SEQUENCE} 0000000000000001 7300 7400 0000000000000000 0000000000000000",
    ),
    (
        "the most of everything",
        "grocer",
        sequence("s", "t", date.max, 2**63 - 1, 2**63 - 1),
        f"{GROCER_SEQUENCE} 000000000037b9db 7300 7400 7fffffffffffffff 7fffffffffffffff",
    ),
    (
        "letters beyond ASCII are UTF-8",
        "Пекарня",
        sequence("Küche", "№7", date(2026, 2, 28), 3, 417),
        f"d09fd0b5d0bad0b0d180d0bdd18f00 {SEQUENCE} 00000000000b495b {KITCHEN} 0000000000000003 00000000000001a1",
    ),
    (
        "the first document of a fiscal drive",
        "grocer",
        fiscal("9960440302345678", 1),
        f"{GROCER_FISCAL} 3939363034343033303233343536373800 0000000000000001",
    ),
    (
        "a later one",
        "grocer",
        fiscal("9960440302345678", 184_467),
        f"{GROCER_FISCAL} 3939363034343033303233343536373800 000000000002d093",
    ),
    (
        "a drive's number keeps its zeros: it is a text",
        "grocer",
        fiscal("0960440302345678", 1),
        f"{GROCER_FISCAL} 3039363034343033303233343536373800 0000000000000001",
    ),
    ("an order", "grocer", document("orders", "1000345"), f"{GROCER_DOCUMENT} 6f726465727300 3130303033343500"),
    (
        "leading zeros do not make another order",
        "grocer",
        document("orders", "0001000345"),
        f"{GROCER_DOCUMENT} 6f726465727300 3130303033343500",
    ),
    (
        "an order with letters",
        "grocer",
        document("orders", "A-000123"),
        f"{GROCER_DOCUMENT} 6f726465727300 412d30303031323300",
    ),
    (
        "zeros before letters do not count either",
        "grocer",
        document("orders", "00A-000123"),
        f"{GROCER_DOCUMENT} 6f726465727300 412d30303031323300",
    ),
    ("only zeros are one zero", "grocer", document("orders", "000"), f"{GROCER_DOCUMENT} 6f726465727300 3000"),
    (
        "four bytes of UTF-8",
        "grocer",
        document("card", "ORDER-😀"),
        f"{GROCER_DOCUMENT} 6361726400 4f524445522df09f988000",
    ),
    (
        "a 00 inside is escaped",
        "partner\x00with nul",
        document("orders", "7"),
        "706172746e657200ff77697468206e756c00 646f63756d656e7400 6f726465727300 3700",
    ),
]


@pytest.mark.parametrize(("name", "partner_id", "key", "expected"), GOLDEN, ids=[name for name, *_ in GOLDEN])
def test_a_natural_key_never_changes(name: str, partner_id: str, key: Key, expected: str) -> None:
    del name
    natural_key = encode_receipt_key(partner_id, key)

    assert natural_key.hex() == expected.replace(" ", "")
    assert natural_key_of(receipt_id_of(natural_key)) == natural_key
    assert partner_of(natural_key) == partner_id.strip()


@pytest.mark.parametrize("golden", GOLDEN, ids=[name for name, *_ in GOLDEN])
def test_a_natural_key_is_read_back_as_what_it_says(golden: tuple[str, str, Key, str]) -> None:
    _, partner_id, key, expected = golden
    told_partner, told = decode_receipt_key(bytes.fromhex(expected.replace(" ", "")))

    assert told_partner == partner_id.strip()
    assert encode_receipt_key(told_partner, told) == encode_receipt_key(partner_id, key)
    written = key.model_dump() | {"number": key.number.lstrip("0") or "0"} if isinstance(key, DocumentKey) else None
    assert told.model_dump() == (written or key.model_dump())


@given(st.binary(max_size=60))
def test_bytes_that_are_no_key_are_refused(junk: bytes) -> None:
    try:
        partner_id, key = decode_receipt_key(junk)
    except MalformedReceiptIdError:
        return
    assert encode_receipt_key(partner_id, key) == junk


@pytest.mark.parametrize(
    "broken", ["6700", "67007300", GROCER_FISCAL + "3900", GROCER_DOCUMENT + "6100 620063", "ff00"]
)
def test_a_key_that_is_cut_off_or_goes_on_is_refused(broken: str) -> None:
    with pytest.raises(MalformedReceiptIdError):
        decode_receipt_key(bytes.fromhex(broken.replace(" ", "")))


def test_twenty_keys_name_seventeen_documents() -> None:
    assert len(GOLDEN) == 20
    assert len({encode_receipt_key(partner_id, key) for _, partner_id, key, _ in GOLDEN}) == 17


texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)
numbers = st.integers(0, 2**63 - 1)
sequences = st.builds(sequence, texts, texts, st.dates(), numbers, numbers)
fiscals = st.builds(fiscal, texts, numbers)
documents = st.builds(document, texts, texts)
partners = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda text: text == text.strip()
)


def meaning(partner_id: str, key: Key) -> tuple[object, ...]:
    """A key as what is compared, field by field: texts by their UTF-8, which is also their code points' order."""
    match key:
        case SequenceKey():
            fields: tuple[object, ...] = (key.business_date, key.store_id, key.till_id, key.shift, key.number)
        case FiscalKey():
            fields = (key.drive, key.number)
        case DocumentKey():
            fields = (key.source, key.number.lstrip("0") or "0")
        case _:
            assert_never(key)
    return (partner_id, key.scheme, *fields)


@given(partners, partners, st.one_of(*(st.tuples(keys, keys) for keys in (sequences, fiscals, documents))))
def test_bytes_sort_like_the_key_itself(first: str, second: str, keys: tuple[Key, Key]) -> None:
    mine, other = (first, keys[0]), (second, keys[1])
    mine_bytes, other_bytes = encode_receipt_key(*mine), encode_receipt_key(*other)

    assert (mine_bytes < other_bytes) == (meaning(*mine) < meaning(*other))
    assert (mine_bytes == other_bytes) == (meaning(*mine) == meaning(*other))


@given(partners, st.one_of(sequences, fiscals, documents))
def test_the_partner_can_be_read_back(partner_id: str, key: Key) -> None:
    assert partner_of(encode_receipt_key(partner_id, key)) == partner_id
