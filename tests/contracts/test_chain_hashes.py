"""Rows, parts and blocks of the sealed chain, written out. What was sealed is checked for ever: nothing may change."""

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.chain import (
    LEAVES_MAX,
    LOWEST_ID,
    NAMING_MEMBERS,
    ROW_COLUMNS,
    Part,
    SealedRow,
    block_hash,
    encode_row,
    part_hash,
    path_of,
    root_by_path,
    root_of,
    row_hash,
    sealed,
)

POSTED_AT = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)

# The number of columns; then of each its type, length and value.
ROWS: tuple[tuple[str, SealedRow, str, str], ...] = (
    (
        "an award",
        SealedRow(
            1,
            7,
            None,
            "issue",
            "available",
            "grocer",
            120,
            "earn",
            b"receipt-1",
            None,
            bytes.fromhex("000b5a4d000b58e3a1a2a3a4a5a6a7a8"),
            None,
            datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC),
            POSTED_AT,
        ),
        (
            "0000000e "
            "00000014 00000008 0000000000000001 "
            "00000014 00000008 0000000000000007 "
            "00000014 ffffffff "
            "00000019 00000005 6973737565 "
            "00000019 00000009 617661696c61626c65 "
            "00000019 00000006 67726f636572 "
            "00000014 00000008 0000000000000078 "
            "00000019 00000004 6561726e "
            "00000011 00000009 726563656970742d31 "
            "00000011 ffffffff "
            "00000011 00000010 000b5a4d000b58e3a1a2a3a4a5a6a7a8 "
            "00000b86 ffffffff "
            "000004a0 00000008 0002eef3fa773001 "
            "000004a0 00000008 0002eef3fa867240 "
        ),
        "8b3c66099b1783a7fc6908fd0295d577d04c654af978e5ed309d1fcb8a5162ee",
    ),
    (
        "a merge, whose reference names members",
        SealedRow(
            2**40,
            8,
            9,
            "available",
            "available",
            None,
            5,
            "merge",
            b"merge:01900000-0000-7000-8000-000000000001:01900000-0000-7000-8000-000000000002",
            bytes(16),
            bytes(16),
            None,
            datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            POSTED_AT,
        ),
        (
            "0000000e "
            "00000014 00000008 0000010000000000 "
            "00000014 00000008 0000000000000008 "
            "00000014 00000008 0000000000000009 "
            "00000019 00000009 617661696c61626c65 "
            "00000019 00000009 617661696c61626c65 "
            "00000019 ffffffff "
            "00000014 00000008 0000000000000005 "
            "00000019 00000005 6d65726765 "
            "00000011 00000006 6d657267653a "
            "00000011 00000010 00000000000000000000000000000000 "
            "00000011 00000010 00000000000000000000000000000000 "
            "00000b86 ffffffff "
            "000004a0 00000008 ffffffffffffffff "
            "000004a0 00000008 0002eef3fa867240 "
        ),
        "4cbc1df855a325139e679f4e7449e7f39505cd1af84cd0366cfff8a908ffd638",
    ),
    (
        "a capture by a partner with an umlaut, of as many points as there can be",
        SealedRow(
            3,
            7,
            None,
            "held",
            "redeem",
            "Bäckerei",
            2**62,
            "capture",
            UUID(int=42).bytes,
            bytes(range(16)),
            None,
            UUID(int=42),
            datetime(2026, 3, 1, 12, tzinfo=UTC),
            POSTED_AT,
        ),
        (
            "0000000e "
            "00000014 00000008 0000000000000003 "
            "00000014 00000008 0000000000000007 "
            "00000014 ffffffff "
            "00000019 00000004 68656c64 "
            "00000019 00000006 72656465656d "
            "00000019 00000009 42c3a4636b65726569 "
            "00000014 00000008 4000000000000000 "
            "00000019 00000007 63617074757265 "
            "00000011 00000010 0000000000000000000000000000002a "
            "00000011 00000010 000102030405060708090a0b0c0d0e0f "
            "00000011 ffffffff "
            "00000b86 00000010 0000000000000000000000000000002a "
            "000004a0 00000008 0002eef3fa773000 "
            "000004a0 00000008 0002eef3fa867240 "
        ),
        "ea59be98b277e19306a24d048082ebfd2b4a838c8457a3c20ab5f6190f9846e0",
    ),
)
LEAVES = [bytes([number]) * 32 for number in range(20)]
ROOTS = {
    1: "ba954e7918265fee00cffaa51524c022c004e278fb91b2b7f6502885af54ca05",
    2: "e4da60a65ee974942deaa089e4c087092f29a53cb1ed81be4ab0502b8c1b703e",
    16: "985f91ed512fac197702142718c666b36246eca17176ae734957b372d1345c2a",
    17: "9a95382c5b3dbf6aa4e36b325659ad39d5e7216834defc0259456ee8b1ccc154",
    20: "4cacf4c79abc4942513bb015c978c55742555dae7ed5b2fd73bca1f6a2d8a793",
}
PARTS = (Part(date(2026, 3, 1), "", 2, bytes(32)), Part(date(2026, 3, 1), "grocer", 1, row_hash(ROWS[0][1])))


@pytest.mark.parametrize(("row", "written", "hashed"), [entry[1:] for entry in ROWS], ids=[entry[0] for entry in ROWS])
def test_a_row(row: SealedRow, written: str, hashed: str) -> None:
    assert encode_row(row) == bytes.fromhex(written)
    assert row_hash(row).hex() == hashed


@pytest.mark.parametrize("count", ROOTS)
def test_a_root(count: int) -> None:
    assert root_of(LEAVES[:count]).hex() == ROOTS[count]


def test_parts_and_blocks() -> None:
    assert [part_hash(part).hex() for part in PARTS] == [
        "d1ebf0a328f07aa8dc1f2afa48fce61534d99d274040f438f964d55d696e0718",
        "beea09782c82dc9043bf9bc8e6e17351840fe6a57343d45a34ebb99182526909",
    ]
    first = sealed(PARTS, 9, datetime(2026, 3, 1, 12, 5, tzinfo=UTC), None)
    assert (first.first_transfer_id, first.transfers) == (LOWEST_ID, 3)
    assert first.root.hex() == "4601839e60647b415350194245304fc1dc40a2724d545cc75d985c1d24da5f5b"
    assert first.head == "1:9a7f26a5af5d097aacbfb959c30ed09d6432c32031702a84ae0a246eee545fa8"
    second = sealed(PARTS[1:], 70, datetime(2026, 3, 1, 12, 6, tzinfo=UTC), first)
    assert (second.first_transfer_id, second.previous) == (10, first.hash)
    assert second.head == "2:6b4f79cf58e15b6683e844b416faa2dbed12ad88bc796a3eb514c54031b1605b"


def test_a_hash_covers_every_column_and_of_a_member_nothing() -> None:
    row = ROWS[2][1]._replace(credit_account_id=9, credit_lot=b"x" * 16)
    others: dict[str, Any] = {
        "hold_id": UUID(int=43),
        **dict.fromkeys(("transfer_id", "account_id", "credit_account_id", "points"), 1_000_000),
        **dict.fromkeys(("debit", "credit", "purpose", "partner_id"), "another"),
        **dict.fromkeys(("reference", "debit_lot", "credit_lot"), b"another"),
        **dict.fromkeys(("business_time", "posted_at"), datetime(2027, 1, 1, tzinfo=UTC)),
    }
    assert others.keys() == ROW_COLUMNS.keys() == set(SealedRow._fields)
    for column, value in others.items():
        assert row_hash(row._replace(**{column: value})) != row_hash(row), column
    for kind in NAMING_MEMBERS:
        named, renamed = (row._replace(reference=kind + member) for member in (b"one", b"another"))
        assert row_hash(named) == row_hash(renamed)


def test_a_block_hash_covers_every_field() -> None:
    block = sealed(PARTS, 9, datetime(2026, 3, 1, 12, 5, tzinfo=UTC), None)
    others: dict[str, Any] = {
        **dict.fromkeys(("block_number", "encoding", "first_transfer_id", "last_transfer_id", "transfers"), 7),
        "sealed_at": POSTED_AT,
        **dict.fromkeys(("root", "previous"), b"x" * 32),
    }
    assert others.keys() | {"hash"} == set(block._fields)
    for field, value in others.items():
        assert block_hash(block._replace(**{field: value})) != block.hash, field


@given(count=st.integers(1, 600), place=st.integers(0, 599))
def test_a_path_proves_its_leaf_and_no_other(count: int, place: int) -> None:
    leaves = [number.to_bytes(32, "big") for number in range(count)]
    path = path_of(leaves, place % count)
    assert root_by_path(leaves[place % count], path) == root_of(leaves)
    assert root_by_path(b"\xff" * 32, path) != root_of(leaves)


def test_lists_that_differ_have_different_roots() -> None:
    """A tree of one leaf less, of two that changed places, of one twice, of a node as a leaf: none is the same."""
    roots = [root_of(LEAVES[:count]) for count in range(1, 20)]
    roots += [root_of([LEAVES[1], LEAVES[0]]), root_of([LEAVES[0], LEAVES[0]]), root_of([root_of(LEAVES[:1])])]
    assert len(set(roots)) == len(roots)
    assert all(a != b for a, b in pairwise(roots))


def test_a_tree_has_leaves_and_not_too_many() -> None:
    for leaves in ([], [bytes(32)] * (LEAVES_MAX + 1)):
        with pytest.raises(ValueError, match="leaves"):
            root_of(leaves)
    path = path_of(LEAVES, 3)
    for broken in (path[1:], (path[0]._replace(place=99), *path[1:]), (path[0]._replace(place=-1), *path[1:])):
        with pytest.raises(ValueError, match=r"path|step"):
            root_by_path(LEAVES[3], broken)
