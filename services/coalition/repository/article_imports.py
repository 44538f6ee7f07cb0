"""Files of articles: how far each has come, and what was refused."""

from collections.abc import Sequence
from uuid import UUID

from services.coalition.domain.articles import ArticleImport
from shared.database import Transaction
from shared.web.csv_pages import LineRefusal

_COLUMNS = """
    import_id, partner_id, state, records_taken, written, refused, content_digest, created_by, created_at, finished_at
"""
INSERT_IMPORT = f"insert into article_imports ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"

FIND_IMPORT = f"select {_COLUMNS} from article_imports where partner_id = $1 and import_id = $2"
LOCK_IMPORT = f"{FIND_IMPORT} for no key update"

UPDATE_IMPORT = """
    update article_imports
    set state = $2, records_taken = $3, written = $4, refused = $5, content_digest = $6, finished_at = $7
    where import_id = $1
"""

INSERT_REFUSALS = """
    insert into article_import_refusals (import_id, line, reason, column_name)
    select $1, line, reason, column_name
    from unnest($2::bigint[], $3::text[], $4::text[]) as refused (line, reason, column_name)
"""

LOAD_REFUSALS = """
    select line, reason, column_name from article_import_refusals
    where import_id = $1 and line > $2 order by line limit $3
"""


async def insert_import(transaction: Transaction, new: ArticleImport) -> None:
    """A new import, of which nothing was taken in yet."""
    await transaction.raw.execute(
        INSERT_IMPORT,
        new.import_id,
        new.partner_id,
        new.state,
        new.records_taken,
        new.written,
        new.refused,
        new.content_digest,
        new.created_by,
        new.created_at,
        new.finished_at,
    )


async def find_import(
    transaction: Transaction, partner_id: str, import_id: UUID, *, is_locking: bool = False
) -> ArticleImport | None:
    """The partner's import as it stands, locked to the commit if that is asked for."""
    statement = LOCK_IMPORT if is_locking else FIND_IMPORT
    row = await transaction.raw.fetchrow(statement, partner_id, import_id)
    return None if row is None else ArticleImport(**dict(row))


async def update_import(transaction: Transaction, taken: ArticleImport, refusals: Sequence[LineRefusal]) -> None:
    """Write how far an import has come, whose row is locked, and what was refused on the way."""
    await transaction.raw.execute(
        UPDATE_IMPORT,
        taken.import_id,
        taken.state,
        taken.records_taken,
        taken.written,
        taken.refused,
        taken.content_digest,
        taken.finished_at,
    )
    if refusals:
        lines, reasons, columns = zip(*((one.line, one.reason, one.column) for one in refusals), strict=True)
        await transaction.raw.execute(INSERT_REFUSALS, taken.import_id, lines, reasons, columns)


async def load_refusals(
    transaction: Transaction, import_id: UUID, *, after_line: int, rows_max: int
) -> list[LineRefusal]:
    """What was refused, in the order of lines."""
    rows = await transaction.raw.fetch(LOAD_REFUSALS, import_id, after_line, rows_max)
    return [LineRefusal(*row) for row in rows]
