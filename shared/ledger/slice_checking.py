"""Checks a partner's slice of the chain without a database. Pure: what is given, and nothing else.

What it proves: the rows are those that were sealed, all that name the partner in the months and blocks where the slice
has any, and the chain goes from there to its head. Compare the head with what others have of it, and the rows with your
own books: that a block has none of your rows is not proven.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.ledger.chain import (
    ENCODING,
    NOTHING_BEFORE,
    Block,
    Part,
    SealedRow,
    Step,
    block_hash,
    part_hash,
    root_by_path,
    root_of,
    row_hash,
)

FORMAT = 1


class SliceBrokenError(ValueError):
    """The slice does not prove what it says; the message names the block and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class CheckedSlice:
    """What a slice proves. ``head`` is the chain's, None of a chain without blocks."""

    partner_id: str
    blocks: int
    rows: int
    head: str | None


def check_slice(lines: Iterable[Mapping[str, Any]], heads: Collection[str] = ()) -> CheckedSlice:
    """Check every hash of a slice, from its rows to the head of the chain. ``heads`` that were kept must be in it.

    Raises:
        SliceBrokenError: something does not follow, or the slice cannot be read.
    """
    remaining = iter(lines)
    title = next(remaining, {})
    if title.get("tessera_slice") != FORMAT:
        raise SliceBrokenError(f"the first line must say that this is a slice of format {FORMAT}")
    last: Block | None = None
    partner_id, blocks, rows, wanted = str(title.get("partner_id")), 0, 0, set(heads)
    for line in remaining:
        try:
            block = _block(line["block"])
            _check_block(block, last, int(title["from_block"]))
            rows += sum(_check_part(block, part, partner_id) for part in line["parts"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            number = (last.block_number if last else 0) + 1
            raise SliceBrokenError(f"block {line.get('block', {}).get('block_number', number)}: {error}") from error
        last, blocks = block, blocks + 1
        wanted.discard(block.head)
    if wanted:
        raise SliceBrokenError(f"a head that was kept is not in the chain: {', '.join(sorted(wanted))}")
    head = None if last is None else last.head
    if head != title.get("head"):
        raise SliceBrokenError(f"the slice ends with {head} and not with the head that it names, {title.get('head')}")
    return CheckedSlice(partner_id, blocks, rows, head)


def _check_block(block: Block, last: Block | None, from_block: int) -> None:
    if block.encoding != ENCODING:
        raise SliceBrokenError(f"its encoding, {block.encoding}, is not known here")
    if block.hash != block_hash(block):
        raise SliceBrokenError("its hash does not follow from what it says")
    if last is None:
        is_next = block.block_number == from_block and (from_block > 1 or block.previous == NOTHING_BEFORE)
    else:
        is_next = (block.block_number, block.previous, block.first_transfer_id) == (
            last.block_number + 1,
            last.hash,
            last.last_transfer_id + 1,
        )
    if not is_next:
        raise SliceBrokenError("it does not follow the block before it")


def _check_part(block: Block, data: Mapping[str, Any], partner_id: str) -> int:
    """How many rows it has, all of which are proven."""
    part = Part(date.fromisoformat(data["month"]), partner_id, int(data["transfers"]), bytes.fromhex(data["root"]))
    rows = [_row(row) for row in data["rows"]]
    numbers = [row.transfer_id for row in rows]
    if len(rows) != part.transfers or numbers != sorted(set(numbers)):
        raise SliceBrokenError(f"{part.transfers} rows of {part.month:%Y-%m} were sealed, here are {len(rows)}")
    for row in rows:
        is_inside = block.first_transfer_id <= row.transfer_id <= block.last_transfer_id
        if not is_inside or (row.partner_id or "") != partner_id:
            raise SliceBrokenError(f"transfer {row.transfer_id} does not belong here")
    if part.root != root_of([row_hash(row) for row in rows]):
        raise SliceBrokenError(f"its rows of {part.month:%Y-%m} are not those that were sealed")
    path = [Step(int(step["place"]), tuple(map(bytes.fromhex, step["siblings"]))) for step in data["path"]]
    if block.root != root_by_path(part_hash(part), path):
        raise SliceBrokenError(f"the rows of {part.month:%Y-%m} are not proven to be in it")
    return len(rows)


def _block(data: Mapping[str, Any]) -> Block:
    hashes = {name: bytes.fromhex(data[name]) for name in ("root", "previous", "hash")}
    return Block(**{**data, **hashes, "sealed_at": datetime.fromisoformat(data["sealed_at"])})


def _row(data: Mapping[str, Any]) -> SealedRow:
    lots = {name: None if data[name] is None else bytes.fromhex(data[name]) for name in ("debit_lot", "credit_lot")}
    times = {name: datetime.fromisoformat(data[name]) for name in ("business_time", "posted_at")}
    hold_id = None if data["hold_id"] is None else UUID(data["hold_id"])
    return SealedRow(**{**data, **lots, **times, "hold_id": hold_id, "reference": bytes.fromhex(data["reference"])})
