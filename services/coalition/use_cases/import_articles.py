"""Take in a partner's file of articles, page by page, so that one that breaks off goes on where it stopped."""

from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias
from uuid import UUID

from services.coalition.domain.articles import COLUMNS, REQUIRED_COLUMNS, Article, ArticleImport, last_of_each
from services.coalition.domain.errors import ArticleImportNotFoundError, PartnerNotFoundError
from services.coalition.repository import article_imports, partners
from services.coalition.use_cases.keep_articles import state_articles
from services.coalition.use_cases.read_partners import read_partner
from shared.database import Database, Transaction
from shared.database.under_way import in_slices
from shared.web.csv_pages import (
    NOTHING_TAKEN,
    CsvPage,
    ImportBusyError,
    LineRefusal,
    judged_header,
    take_pages,
)
from shared.web.csv_records import CsvRecord

PAGE_RECORDS = 500

# One record and the names of its columns → the article it states, or why it states none.
ReadRecord: TypeAlias = Callable[[CsvRecord, Sequence[str], str], Article | LineRefusal]


async def declare_import(transaction: Transaction, partner_id: str, import_id: UUID, author: str) -> ArticleImport:
    """A new import, of which nothing was taken in yet.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await read_partner(transaction, partner_id)
    new = ArticleImport(
        import_id=import_id,
        partner_id=partner_id,
        state="open",
        records_taken=0,
        written=0,
        refused=0,
        content_digest=NOTHING_TAKEN,
        created_by=author,
        created_at=transaction.now,
        finished_at=None,
    )
    await article_imports.insert_import(transaction, new)
    return new


async def read_import(transaction: Transaction, partner_id: str, import_id: UUID) -> ArticleImport:
    """The partner's import as it stands.

    Raises:
        ArticleImportNotFoundError: the partner has no such import.
    """
    found = await article_imports.find_import(transaction, partner_id, import_id)
    if found is None:
        raise ArticleImportNotFoundError("the partner has no such import")
    return found


async def import_articles(
    database: Database,
    partner_id: str,
    import_id: UUID,
    chunks: AsyncIterable[bytes],
    read: ReadRecord,
    author: str,
) -> ArticleImport:
    """Take a file in, from the first record that was not taken before; the import as it is then.

    Every page is one transaction: its articles, their acts, its refusals, and how far the file has come. Safe to
    repeat, as ``take_pages`` is. Of a number that stands twice the later record counts.

    Raises:
        ArticleImportNotFoundError: the partner has no such import.
        UnusableHeaderError, UnreadableCsvError: what is wrong, and on which line.
        AnotherFileError: the file differs from what was taken in before.
        ImportBusyError: two send the file at once.
    """
    async with database.transaction() as transaction:
        found = await read_import(transaction, partner_id, import_id)

    async def take_page(taken: ArticleImport, page: CsvPage) -> ArticleImport:
        return await _take_page(database, taken, page, read, author)

    return await take_pages(chunks, found, _header, take_page, records_max=PAGE_RECORDS)


async def _take_page(
    database: Database, taken: ArticleImport, page: CsvPage, read: ReadRecord, author: str
) -> ArticleImport:
    rows = await in_slices(lambda record: read(record, page.columns, page.divider), page.records)
    refusals = [row for row in rows if isinstance(row, LineRefusal)]
    stated = last_of_each([row for row in rows if isinstance(row, Article)])

    async def work(transaction: Transaction) -> ArticleImport:
        # The partner's row first, as everybody does who writes below a partner.
        if not await partners.lock_partner(transaction, taken.partner_id):
            raise PartnerNotFoundError("there is no such partner")
        stands = await article_imports.find_import(transaction, taken.partner_id, taken.import_id, is_locking=True)
        # A last page may be empty: then only the state tells that somebody else has finished meanwhile.
        if stands is None or (stands.state, stands.records_taken) != (taken.state, taken.records_taken):
            raise ImportBusyError("this import's file is being sent by somebody else: wait, and look how far it is")
        changes = await state_articles(transaction, taken.partner_id, stated, author, f"import:{taken.import_id}")
        now_taken = replace(
            stands,
            state="finished" if page.is_last else "open",
            records_taken=stands.records_taken + len(page.records),
            written=stands.written + len([change for change in changes if change.outcome != "unchanged"]),
            refused=stands.refused + len(refusals),
            content_digest=page.digest,
            finished_at=transaction.now if page.is_last else None,
        )
        await article_imports.update_import(transaction, now_taken, refusals)
        return now_taken

    return await database.run(work)


def _header(names: Sequence[str]) -> tuple[str, ...]:
    return judged_header(names, known=COLUMNS, required=REQUIRED_COLUMNS)
