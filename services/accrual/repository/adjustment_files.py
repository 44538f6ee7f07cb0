"""Files of adjustments: how far each has come, and which of its lines came to nothing."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

import asyncpg

from services.accrual.domain.adjustment_files import AdjustmentFile, FileState
from shared.database import Transaction
from shared.web.csv_pages import LineRefusal

_NAMES = tuple(field.name for field in fields(AdjustmentFile))
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join(f"${number}" for number in range(1, len(_NAMES) + 1))

_INSERT = f"""
    insert into adjustment_files ({_COLUMNS}) values ({_VALUES})
    on conflict (name) do nothing
    returning file_id
"""
_FIND = f"select {_COLUMNS} from adjustment_files where file_id = $1"
_LOCK = f"{_FIND} for no key update"
_FIND_NAMED = f"select {_COLUMNS} from adjustment_files where name = $1"
_LIST = f"""
    select {_COLUMNS} from adjustment_files
    where ($1::text is null or state = $1)
        and ($2::timestamptz is null or (created_at, file_id) < ($2, $3))
    order by created_at desc, file_id desc
    limit $4
"""
# One that another worker decides the lines of is passed over.
_LOCK_NEXT_DECIDED = f"""
    select {_COLUMNS} from adjustment_files where state in ('approved', 'refused') and posted + failed < accepted
    order by decided_at, file_id limit 1 for no key update skip locked
"""

_UPDATE = """
    update adjustment_files
    set state = $2, records_taken = $3, accepted = $4, refused = $5, points_total = $6, points_largest = $7,
        content_digest = $8, repeats = $9, posted = $10, failed = $11, decided_by = $12, decided_at = $13
    where file_id = $1
"""

_FIND_SAME = """
    select file_id from adjustment_files
    where content_digest = $1 and file_id <> $2 and state in ('waiting', 'approved', 'posted') and accepted > 0
    order by created_at limit 1
"""

_INSERT_REFUSALS = """
    insert into adjustment_file_refusals (file_id, line, reason, column_name)
    select $1, line, reason, column_name
    from unnest($2::bigint[], $3::text[], $4::text[]) as refused (line, reason, column_name)
"""
# What was not readable, and what was and could not be posted.
_REFUSALS = """
    select line, reason, column_name from (
        select line, reason, column_name from adjustment_file_refusals where file_id = $1 and line > $2
        union all
        select line, refusal, null from adjustments where file_id = $1 and line > $2 and state = 'refused'
    ) as refused
    order by line limit $3
"""


async def insert(transaction: Transaction, new: AdjustmentFile) -> bool:
    """Keep a declared file; False where there is one of its name."""
    values = [getattr(new, name) for name in _NAMES]
    return await transaction.raw.fetchval(_INSERT, *values) is not None


async def find(transaction: Transaction, file_id: UUID) -> AdjustmentFile | None:
    """The file as it stands."""
    return _file(await transaction.raw.fetchrow(_FIND, file_id))


async def find_named(transaction: Transaction, name: str) -> AdjustmentFile | None:
    """The file of this name."""
    return _file(await transaction.raw.fetchrow(_FIND_NAMED, name))


async def lock(transaction: Transaction, file_id: UUID) -> AdjustmentFile | None:
    """The file, locked to the commit."""
    return _file(await transaction.raw.fetchrow(_LOCK, file_id))


async def lock_next_decided(transaction: Transaction) -> AdjustmentFile | None:
    """The file that was decided first of those with lines that are not, locked; None where there is none to be had."""
    return _file(await transaction.raw.fetchrow(_LOCK_NEXT_DECIDED))


async def load_page(
    transaction: Transaction, state: FileState | None, after: tuple[datetime, UUID] | None, rows_max: int
) -> list[AdjustmentFile]:
    """Files, the newest first."""
    created_at, file_id = after if after is not None else (None, None)
    rows = await transaction.raw.fetch(_LIST, state, created_at, file_id, rows_max)
    return [AdjustmentFile(**dict(row)) for row in rows]


async def update(transaction: Transaction, file: AdjustmentFile) -> None:
    """Write how far a file has come, whose row is locked."""
    await transaction.raw.execute(
        _UPDATE,
        file.file_id,
        file.state,
        file.records_taken,
        file.accepted,
        file.refused,
        file.points_total,
        file.points_largest,
        file.content_digest,
        file.repeats,
        file.posted,
        file.failed,
        file.decided_by,
        file.decided_at,
    )


async def find_same(transaction: Transaction, file: AdjustmentFile, digest: bytes) -> UUID | None:
    """A file with these contents that was finished before and was not turned down."""
    found: UUID | None = await transaction.raw.fetchval(_FIND_SAME, digest, file.file_id)
    return found


async def save_refusals(transaction: Transaction, file_id: UUID, refusals: Sequence[LineRefusal]) -> None:
    """Keep why lines came to nothing."""
    if refusals:
        lines, reasons, columns = zip(*((one.line, one.reason, one.column) for one in refusals), strict=True)
        await transaction.raw.execute(_INSERT_REFUSALS, file_id, lines, reasons, columns)


async def load_refusals(transaction: Transaction, file_id: UUID, after_line: int, rows_max: int) -> list[LineRefusal]:
    """Lines of which nothing came, in their order."""
    return [LineRefusal(*row) for row in await transaction.raw.fetch(_REFUSALS, file_id, after_line, rows_max)]


def _file(row: asyncpg.Record | None) -> AdjustmentFile | None:
    return None if row is None else AdjustmentFile(**dict(row))
