"""A partner's slice of the chain: its rows, and what proves them up to the chain's head, for whoever trusts nobody.

Lines of JSON: one that says whose slice it is and the head, then one a block. A block's line has the partner's parts in
it with all their rows, and each part's path to the block's root. ``slice_checking`` checks it without a database.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from shared.database.engine import RawConnection
from shared.ledger.chain import ROW_COLUMNS, Block, Part, SealedRow, Step, covered_reference, part_hash, path_of
from shared.ledger.sealing import LAST_BLOCK
from shared.ledger.slice_checking import FORMAT

_BLOCKS_PER_FETCH = 500

_BLOCKS = """
    select block_number, encoding, first_transfer_id, last_transfer_id, transfers, sealed_at, root, previous, hash
    from ledger_blocks
    where block_number >= $1
    order by block_number
"""
_BLOCKS_OF_PARTNER = "select distinct block_number from ledger_block_parts where partner_id = $1 and block_number >= $2"
_PARTS = "select month, partner_id, transfers, root from ledger_block_parts where block_number = $1"
_ROWS = f"""
    select {", ".join(ROW_COLUMNS)}
    from ledger_transfers
    where transfer_id between $1 and $2 and coalesce(partner_id, '') = $3
        and business_time >= $4::timestamp at time zone 'UTC'
        and business_time < ($4::timestamp + interval '1 month') at time zone 'UTC'
    order by transfer_id
"""


async def export_slice(
    connection: RawConnection, partner_id: str, from_block: int = 1
) -> AsyncIterator[dict[str, Any]]:
    """The lines of a partner's slice, from a block to the head; '' is the programme's own. On one snapshot.

    ``connection`` must have no transaction open, or one that is repeatable read.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(LAST_BLOCK)
        head = None if row is None else Block(*row).head
        yield {"tessera_slice": FORMAT, "partner_id": partner_id, "from_block": from_block, "head": head}
        named = {row["block_number"] for row in await connection.fetch(_BLOCKS_OF_PARTNER, partner_id, from_block)}
        async for row in connection.cursor(_BLOCKS, from_block, prefetch=_BLOCKS_PER_FETCH):
            block = Block(*row)
            parts = await _parts(connection, block, partner_id) if block.block_number in named else []
            yield {"block": block_data(block), "parts": parts}


async def _parts(connection: RawConnection, block: Block, partner_id: str) -> list[dict[str, Any]]:
    parts = sorted(Part(*row) for row in await connection.fetch(_PARTS, block.block_number))
    leaves = [part_hash(part) for part in parts]
    own = [(place, part) for place, part in enumerate(parts) if part.partner_id == partner_id]
    lines = []
    for place, part in own:
        rows = await connection.fetch(_ROWS, block.first_transfer_id, block.last_transfer_id, partner_id, part.month)
        lines.append(
            {
                "month": part.month.isoformat(),
                "transfers": part.transfers,
                "root": part.root.hex(),
                "path": [step_data(step) for step in path_of(leaves, place)],
                "rows": [row_data(SealedRow(*row)) for row in rows],
            }
        )
    return lines


def block_data(block: Block) -> dict[str, Any]:
    """A block as JSON says it; hashes in hexadecimal digits."""
    hashes = {name: getattr(block, name).hex() for name in ("root", "previous", "hash")}
    return block._asdict() | {"sealed_at": block.sealed_at.isoformat()} | hashes


def step_data(step: Step) -> dict[str, Any]:
    """A step of a path as JSON says it."""
    return {"place": step.place, "siblings": [sibling.hex() for sibling in step.siblings]}


def row_data(row: SealedRow) -> dict[str, Any]:
    """A row as JSON says it, as far as its hash covers it: no member is named."""
    return {
        name: _plain(value)
        for name, value in row._replace(reference=covered_reference(row.reference))._asdict().items()
    }


def _plain(value: object) -> int | str | None:
    match value:
        case None | int() | str():
            return value
        case bytes():
            return value.hex()
        case datetime():
            return value.isoformat()
        case _:
            return str(value)
