"""The sealed chain, pure: what bytes a row is, how rows become a part's root, parts a block's, and blocks a chain.

Hashes are SHA-256. Everything here is for ever: golden values in ``tests/contracts`` keep it, and ``sealed_parts`` does
the same in SQL. Member ids are in none of it.

- A **row**'s bytes are PostgreSQL's binary record of ``ROW_COLUMNS``: the number of columns (4 bytes, big-endian), and
  of each its type's number (4), its length (4, or -1 for null) and its value. Of a reference that names members only
  the kind is in it.
- A **leaf** is the hash of 00 and such bytes; a node the hash of 01 and its children's hashes, at most 16 in order.
  Every tree has four levels above its leaves, whatever it holds: 65,536 leaves at most.
- A **part** is what one partner's rows of one month are in a block, in the order of their numbers; '' is the
  programme's: rows that name no partner.
- A **block** is a stretch of transfers' numbers. Its tree has its parts for leaves, in the order of month and partner;
  its hash is that of 02, its own fields and the hash of the block before it.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

ENCODING = 1  # of rows, parts and blocks; another way of writing them down is another number
CHILDREN_MAX = 16
LEVELS = 4
LEAVES_MAX = CHILDREN_MAX**LEVELS
HASH_BYTES = 32
NOTHING_BEFORE = bytes(HASH_BYTES)  # what the first block follows
LOWEST_ID = -(2**63)  # the first block begins below every number that anybody could write into a row

# name of a row's column → PostgreSQL's number of its type
ROW_COLUMNS = {
    "transfer_id": 20,
    "account_id": 20,
    "credit_account_id": 20,
    "debit": 25,
    "credit": 25,
    "partner_id": 25,
    "points": 20,
    "purpose": 25,
    "reference": 17,
    "debit_lot": 17,
    "credit_lot": 17,
    "hold_id": 2950,
    "business_time": 1184,
    "posted_at": 1184,
}
NAMING_MEMBERS = (b"merge:", b"leave:")  # kinds of references that have members' ids behind them
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class SealedRow(NamedTuple):
    """A transfer, as far as its hash covers it."""

    transfer_id: int
    account_id: int
    credit_account_id: int | None
    debit: str
    credit: str
    partner_id: str | None
    points: int
    purpose: str
    reference: bytes
    debit_lot: bytes | None
    credit_lot: bytes | None
    hold_id: UUID | None
    business_time: datetime
    posted_at: datetime


class Part(NamedTuple):
    """A partner's rows of one month in a block: how many, and the root of their tree."""

    month: date
    partner_id: str
    transfers: int
    root: bytes


class Block(NamedTuple):
    """A sealed stretch of transfers' numbers, both ends included. ``hash`` follows from all other fields."""

    block_number: int
    encoding: int
    first_transfer_id: int
    last_transfer_id: int
    transfers: int
    sealed_at: datetime
    root: bytes
    previous: bytes
    hash: bytes

    @property
    def head(self) -> str:
        """What to keep elsewhere: whoever has it knows whether the chain up to here was rewritten or cut off."""
        return f"{self.block_number}:{self.hash.hex()}"


class Step(NamedTuple):
    """One level of a path: the hashes beside ours, and where ours stands among them."""

    place: int
    siblings: tuple[bytes, ...]


def covered_reference(reference: bytes) -> bytes:
    """A reference as a row's hash covers it: of those that name members the kind alone."""
    return next((kind for kind in NAMING_MEMBERS if reference.startswith(kind)), reference)


def encode_row(row: SealedRow) -> bytes:
    """The bytes of which a row's hash is."""
    columns = row._replace(reference=covered_reference(row.reference))
    written = [struct.pack(">i", len(ROW_COLUMNS))]
    for type_number, value in zip(ROW_COLUMNS.values(), columns, strict=True):
        encoded = None if value is None else _encode(type_number, value)
        written.append(struct.pack(">ii", type_number, -1 if encoded is None else len(encoded)))
        written.append(encoded or b"")
    return b"".join(written)


def _encode(type_number: int, value: object) -> bytes:
    match value:
        case int():
            return struct.pack(">q", value)
        case str():
            return value.encode()
        case bytes():
            return value
        case UUID():
            return value.bytes
        case datetime():
            return struct.pack(">q", microseconds(value))
        case _:
            raise TypeError(f"a row has no column of type {type_number} with a {type(value).__name__}")


def microseconds(moment: datetime) -> int:
    """Since the beginning of the year 2000, as PostgreSQL counts."""
    return (moment - _EPOCH) // _MICROSECOND


def row_hash(row: SealedRow) -> bytes:
    """A row's leaf."""
    return sha256(b"\x00" + encode_row(row)).digest()


def part_hash(part: Part) -> bytes:
    """A part's leaf in its block's tree."""
    partner_id = part.partner_id.encode()
    written = struct.pack(">iiq", part.month.toordinal(), len(partner_id), part.transfers)
    return sha256(b"\x00" + written + partner_id + part.root).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree of these leaves.

    Raises:
        ValueError: there are none, or more than a tree can have.
    """
    if not 1 <= len(leaves) <= LEAVES_MAX:
        raise ValueError(f"a tree has 1 to {LEAVES_MAX} leaves")
    level = list(leaves)
    for _ in range(LEVELS):
        level = [node_hash(level[start : start + CHILDREN_MAX]) for start in range(0, len(level), CHILDREN_MAX)]
    return level[0]


def node_hash(children: Sequence[bytes]) -> bytes:
    """The hash above these."""
    return sha256(b"\x01" + b"".join(children)).digest()


def path_of(leaves: Sequence[bytes], place: int) -> tuple[Step, ...]:
    """What proves that the leaf at ``place`` is in the tree of these leaves, from the bottom up."""
    steps: list[Step] = []
    level = list(leaves)
    for _ in range(LEVELS):
        start = place - place % CHILDREN_MAX
        family = level[start : start + CHILDREN_MAX]
        own = place % CHILDREN_MAX
        steps.append(Step(own, (*family[:own], *family[own + 1 :])))
        level = [node_hash(level[at : at + CHILDREN_MAX]) for at in range(0, len(level), CHILDREN_MAX)]
        place //= CHILDREN_MAX
    return tuple(steps)


def root_by_path(leaf: bytes, path: Sequence[Step]) -> bytes:
    """The root of the tree that has this leaf at the end of this path.

    Raises:
        ValueError: no tree has such a path.
    """
    if len(path) != LEVELS:
        raise ValueError(f"a path has {LEVELS} steps")
    for step in path:
        if not 0 <= step.place <= len(step.siblings) < CHILDREN_MAX:
            raise ValueError("a step stands outside its family")
        leaf = node_hash((*step.siblings[: step.place], leaf, *step.siblings[step.place :]))
    return leaf


def block_hash(block: Block) -> bytes:
    """The hash that a block of these fields must have."""
    numbers = struct.pack(
        ">qhqqqq",
        block.block_number,
        block.encoding,
        block.first_transfer_id,
        block.last_transfer_id,
        block.transfers,
        microseconds(block.sealed_at),
    )
    return sha256(b"\x02" + numbers + block.root + block.previous).digest()


def sealed(parts: Sequence[Part], last_transfer_id: int, sealed_at: datetime, previous: Block | None) -> Block:
    """The block of these parts (in their order) that follows another; the first one follows none."""
    block = Block(
        block_number=1 if previous is None else previous.block_number + 1,
        encoding=ENCODING,
        first_transfer_id=LOWEST_ID if previous is None else previous.last_transfer_id + 1,
        last_transfer_id=last_transfer_id,
        transfers=sum(part.transfers for part in parts),
        sealed_at=sealed_at,
        root=root_of([part_hash(part) for part in parts]),
        previous=NOTHING_BEFORE if previous is None else previous.hash,
        hash=b"",
    )
    return block._replace(hash=block_hash(block))
