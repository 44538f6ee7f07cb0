"""Imports of members: how far each has come, and what was refused."""

from collections.abc import Sequence
from uuid import UUID

from services.members.domain.member_import import Import
from shared.database import Transaction
from shared.web.csv_pages import LineRefusal

_COLUMNS = """
    import_id, partner_id, language, region, state, records_taken, enrolled, refused, content_digest, created_by,
    created_at, finished_at
"""
_INSERT = f"""
    insert into member_imports ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_FIND = f"select {_COLUMNS} from member_imports where import_id = $1"
_LOCK = f"{_FIND} for no key update"
_UPDATE = """
    update member_imports
    set state = $2, records_taken = $3, enrolled = $4, refused = $5, content_digest = $6, finished_at = $7
    where import_id = $1
"""
_INSERT_REFUSALS = """
    insert into member_import_refusals (import_id, line, reason, column_name)
    select $1, line, reason, column_name
    from unnest($2::bigint[], $3::text[], $4::text[]) as refused (line, reason, column_name)
"""
_REFUSALS = """
    select line, reason, column_name from member_import_refusals
    where import_id = $1 and line > $2 order by line limit $3
"""


async def insert_import(transaction: Transaction, new: Import) -> None:
    """A new import, of which nothing was taken in yet."""
    await transaction.raw.execute(
        _INSERT,
        new.import_id,
        new.partner_id,
        new.language,
        new.region,
        new.state,
        new.records_taken,
        new.enrolled,
        new.refused,
        new.content_digest,
        new.created_by,
        new.created_at,
        new.finished_at,
    )


async def find_import(transaction: Transaction, import_id: UUID) -> Import | None:
    """The import as it stands."""
    row = await transaction.raw.fetchrow(_FIND, import_id)
    return None if row is None else Import(**dict(row))


async def lock_import(transaction: Transaction, import_id: UUID) -> Import | None:
    """The same, locked to the commit."""
    row = await transaction.raw.fetchrow(_LOCK, import_id)
    return None if row is None else Import(**dict(row))


async def update_import(transaction: Transaction, taken: Import, refusals: Sequence[LineRefusal]) -> None:
    """Write how far an import has come, whose row is locked, and what was refused on the way."""
    await transaction.raw.execute(
        _UPDATE,
        taken.import_id,
        taken.state,
        taken.records_taken,
        taken.enrolled,
        taken.refused,
        taken.content_digest,
        taken.finished_at,
    )
    if refusals:
        lines, reasons, columns = zip(*((one.line, one.reason, one.column) for one in refusals), strict=True)
        await transaction.raw.execute(_INSERT_REFUSALS, taken.import_id, lines, reasons, columns)


async def load_refusals(
    transaction: Transaction, import_id: UUID, *, after_line: int, rows_max: int
) -> list[LineRefusal]:
    """What was refused, in the order of lines."""
    rows = await transaction.raw.fetch(_REFUSALS, import_id, after_line, rows_max)
    return [LineRefusal(*row) for row in rows]
