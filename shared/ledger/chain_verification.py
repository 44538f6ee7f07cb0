"""Walks the sealed chain: every block follows the one before it, and every transfer is as it was when it was sealed.

The roots say whether anything is amiss; what was listed of each row says which row it is. Where whole blocks are gone
from the end, the chain itself has nothing to show: a head that was kept elsewhere has (``Head``).
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, Self

import asyncpg

from shared.database.engine import RawConnection
from shared.ledger.chain import (
    ENCODING,
    HASH_BYTES,
    LEAVES_MAX,
    NOTHING_BEFORE,
    Block,
    Part,
    block_hash,
    part_hash,
    root_of,
)
from shared.ledger.findings import FINDINGS_MAX, Finding
from shared.ledger.sealed_parts import DIFFERING_PARTS, LISTED_BYTES

CHECK = "the chain"
STRETCH_BLOCKS_MAX = 1_000  # read at once, unless so many rows are reached before
_BLOCKS_PER_FETCH = 1_000

BLOCKS = """
    select block_number, encoding, first_transfer_id, last_transfer_id, transfers, sealed_at, root, previous, hash
    from ledger_blocks
    order by block_number
"""

PARTS_OF_BLOCKS = """
    select block_number, month, partner_id, transfers, root
    from ledger_block_parts
    where block_number = any($1::bigint[])
"""

PARTS_WITHOUT_BLOCK = """
    select distinct block_number from ledger_block_parts as part
    where block_number > $1
        and not exists (select from ledger_blocks as block where block.block_number = part.block_number)
    order by block_number
    limit $2
"""

UNSEALED = "select count(*), min(posted_at) from ledger_transfers where transfer_id > $1"
ACCOUNT_OF = "select account_id from ledger_transfers where transfer_id = $1 limit 1"


class Head(NamedTuple):
    """The end of the chain as somebody has kept it: ``number:hash``, as verification and the log say it."""

    block_number: int
    hash: bytes

    @classmethod
    def read(cls, text: str) -> Self:
        """The head that was written so. Raises ValueError."""
        number, _, written = text.strip().partition(":")
        head = cls(int(number), bytes.fromhex(written))
        if head.block_number < 1 or len(head.hash) != HASH_BYTES:
            raise ValueError("a head is a block's number, a colon and 64 hexadecimal digits")
        return head

    @property
    def written(self) -> str:
        """As it is written."""
        return f"{self.block_number}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Chain:
    """How far the chain goes. ``head`` is None before the first block; ``waiting_since`` where everything is sealed."""

    blocks: int
    transfers: int
    head: str | None
    sealed_at: datetime | None
    waiting: int
    waiting_since: datetime | None
    findings: tuple[Finding, ...]
    findings_total: int


class _Findings:
    """At most ``FINDINGS_MAX``, and how many there are."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.total = 0

    def add(
        self, block_number: int | None, what: str, *, transfer_id: int | None = None, account_id: int | None = None
    ) -> None:
        self.total += 1
        if len(self.kept) < FINDINGS_MAX:
            self.kept.append(Finding(CHECK, None, account_id, None, None, what, None, None, transfer_id, block_number))


async def verify_chain(connection: RawConnection, heads: Sequence[Head] = ()) -> Chain:
    """Walk the whole chain in the caller's transaction, which must be repeatable read.

    ``heads`` were kept elsewhere: each must be a block of this chain.
    """
    findings = _Findings()
    last: Block | None = None
    blocks = transfers = 0
    seen = dict.fromkeys(heads, False)
    async for stretch in _stretches(connection):
        parts = await _parts_of(connection, stretch)
        for block in stretch:
            _check_block(block, parts.get(block.block_number, []), last, findings)
            if (head := Head(block.block_number, block.hash)) in seen:
                seen[head] = True
            last, blocks, transfers = block, blocks + 1, transfers + block.transfers
        await _check_rows(connection, stretch, findings)
    for head in (head for head, is_there in seen.items() if not is_there):
        is_cut_off = last is None or head.block_number > last.block_number
        findings.add(head.block_number, "cut off: the chain ends before it" if is_cut_off else "another hash was kept")
    for row in await connection.fetch(PARTS_WITHOUT_BLOCK, 0 if last is None else last.block_number, FINDINGS_MAX):
        findings.add(row["block_number"], "removed: its parts are still there")
    waiting = await connection.fetchrow(UNSEALED, 0 if last is None else last.last_transfer_id)
    return Chain(
        blocks,
        transfers,
        None if last is None else last.head,
        None if last is None else last.sealed_at,
        waiting[0] if waiting else 0,
        waiting[1] if waiting else None,
        tuple(findings.kept),
        findings.total,
    )


async def _stretches(connection: RawConnection) -> AsyncIterator[list[Block]]:
    """The blocks in order, as many at a time as are read well at once."""
    stretch: list[Block] = []
    transfers = 0
    async for row in connection.cursor(BLOCKS, prefetch=_BLOCKS_PER_FETCH):
        block = Block(*row)
        if stretch and (transfers + block.transfers > LEAVES_MAX or len(stretch) == STRETCH_BLOCKS_MAX):
            yield stretch
            stretch, transfers = [], 0
        stretch.append(block)
        transfers += block.transfers
    if stretch:
        yield stretch


async def _parts_of(connection: RawConnection, blocks: Sequence[Block]) -> Mapping[int, list[Part]]:
    parts: dict[int, list[Part]] = {}
    for number, *part in await connection.fetch(PARTS_OF_BLOCKS, [block.block_number for block in blocks]):
        parts.setdefault(number, []).append(Part(*part))
    return parts


def _check_block(block: Block, parts: Sequence[Part], last: Block | None, findings: _Findings) -> None:
    """Its hash from its own fields, its root from its parts, and that it follows the block before it."""
    number = block.block_number
    missing = range(1 if last is None else last.block_number + 1, number)
    for gone in missing[:FINDINGS_MAX]:
        findings.add(gone, "removed")
    if block.encoding != ENCODING:
        findings.add(number, f"changed: encoding {block.encoding} is not known")
    if block.hash != block_hash(block):
        findings.add(number, "changed: its hash does not follow from what it says")
    in_order = sorted(parts)
    root = root_of([part_hash(part) for part in in_order]) if in_order else b""
    if root != block.root or sum(part.transfers for part in parts) != block.transfers:
        findings.add(number, "changed: its root does not follow from its parts")
    if not missing:
        previous, first = (NOTHING_BEFORE, None) if last is None else (last.hash, last.last_transfer_id + 1)
        if block.previous != previous or first not in (None, block.first_transfer_id):
            findings.add(number, "changed: it does not follow the block before it")


async def _check_rows(connection: RawConnection, blocks: Sequence[Block], findings: _Findings) -> None:
    """The stretch's transfers, hashed again, against what was sealed of them."""
    in_order = sorted(blocks, key=lambda block: block.first_transfer_id)  # as they are, unless a block was changed
    rows = await connection.fetch(
        DIFFERING_PARTS,
        in_order[0].first_transfer_id,
        max(block.last_transfer_id for block in in_order),
        [block.first_transfer_id for block in in_order],
        [block.last_transfer_id for block in in_order],
        [block.block_number for block in in_order],
    )
    for number, parts in groupby(rows, key=itemgetter("block_number")):
        await _name_rows(connection, number, list(parts), findings)


async def _name_rows(
    connection: RawConnection, number: int, parts: Sequence[asyncpg.Record], findings: _Findings
) -> None:
    """Which rows differ. A row that bears another partner or month now has left one part and come to another."""
    sealed = Counter(row for part in parts for row in _listed(part["stored_listed"]))
    present = Counter(row for part in parts for row in _listed(part["listed"]))
    gone, new = _numbers(sealed - present), _numbers(present - sealed)
    for transfer_id in sorted(gone | new):
        what = (
            "changed"
            if transfer_id in gone and transfer_id in new
            else "removed"
            if transfer_id in gone
            else "inserted"
        )
        account_id = None
        if what != "removed" and len(findings.kept) < FINDINGS_MAX:
            account_id = await connection.fetchval(ACCOUNT_OF, transfer_id)
        findings.add(number, what, transfer_id=transfer_id, account_id=account_id)
    if not gone | new:  # all rows are as they were: what was written of them is not
        for part in parts:
            partner = part["partner_id"] or "the programme"
            findings.add(number, f"changed: what it says of {partner}'s rows of {part['month']:%Y-%m}")


def _listed(listed: bytes | None) -> list[tuple[int, bytes]]:
    rows = [] if listed is None else [listed[at : at + LISTED_BYTES] for at in range(0, len(listed), LISTED_BYTES)]
    return [(int.from_bytes(row[:8], "big", signed=True), row[8:]) for row in rows]


def _numbers(rows: Collection[tuple[int, bytes]]) -> set[int]:
    return {transfer_id for transfer_id, _ in rows}
