"""Takes in a file of adjustments, page by page. Nothing moves before all of it is there, and may take effect."""

from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from services.accrual.domain.adjustment_files import (
    COLUMNS,
    REQUIRED_COLUMNS,
    AdjustmentFile,
    AdjustmentFileExistsError,
    AdjustmentFileNotFoundError,
    AnotherAuthorError,
)
from services.accrual.domain.adjustments import Adjustment, AdjustmentRules, why_not_posted
from services.accrual.programme import Programme
from services.accrual.repository import adjustment_files, adjustments, moved_alone
from services.accrual.use_cases.adjust_points import today
from services.accrual.use_cases.lock_owners import lock_owners
from shared.database import Database, Transaction
from shared.database.under_way import in_slices
from shared.web.csv_pages import CsvPage, ImportBusyError, LineRefusal, judged_header, take_pages
from shared.web.csv_records import CsvRecord

PAGE_RECORDS = 500
_COLUMN_OF = {"expired": "expires_on"}

# One record and the names of its columns → what it asks for, or why it comes to nothing.
ReadRecord: TypeAlias = Callable[[CsvRecord, Sequence[str], str], Adjustment | LineRefusal]


@dataclass(frozen=True, slots=True)
class _Taken:
    """How far a file was taken in, as ``take_pages`` asks."""

    file: AdjustmentFile

    @property
    def state(self) -> str:
        return "open" if self.file.state == "open" else "finished"

    @property
    def records_taken(self) -> int:
        return self.file.records_taken

    @property
    def content_digest(self) -> bytes:
        return self.file.content_digest


async def declare_file(transaction: Transaction, wanted: AdjustmentFile) -> AdjustmentFile:
    """Keep a declared file. Its name is its identity, for ever: declared again, it is answered as it stands.

    Raises:
        AdjustmentFileExistsError: somebody else has declared it, or it was declared otherwise.
    """
    if await adjustment_files.insert(transaction, wanted):
        return wanted
    known = await adjustment_files.find_named(transaction, wanted.name)
    if known is None or (known.created_by, known.is_clipped) != (wanted.created_by, wanted.is_clipped):
        raise AdjustmentFileExistsError("/name: another file was declared under this name: give it one of its own")
    return known


class AdjustmentImporter:
    """Takes files in. Every page is one transaction: its lines, its refusals, and how far the file has come."""

    def __init__(self, database: Database, rules: AdjustmentRules, programme: Programme) -> None:
        self._database = database
        self._rules = rules
        self._programme = programme

    async def take(self, file_id: UUID, author: str, chunks: AsyncIterable[bytes], read: ReadRecord) -> AdjustmentFile:
        """Take a file in, from the first record that was not taken before; the file as it is then.

        Safe to repeat: each line is one adjustment for ever, by file and line. The same file, sent again from its
        beginning, goes on after the last page that was committed, and one that is finished changes nothing.

        Raises:
            AdjustmentFileNotFoundError: there is no such file.
            AnotherAuthorError: somebody else has declared it.
            UnusableHeaderError, UnreadableCsvError: what is wrong, and on which line.
            AnotherFileError: the file differs from what was taken in before.
            ImportBusyError: two send the file at once.
        """
        file = await self.find(file_id)
        if file.created_by != author:
            raise AnotherAuthorError("a file is sent by whoever declared it: declare one of your own")

        async def take_page(taken: _Taken, page: CsvPage) -> _Taken:
            return _Taken(await self._take_page(taken.file, page, read))

        taken = await take_pages(chunks, _Taken(file), _header, take_page, records_max=PAGE_RECORDS)
        return taken.file

    async def find(self, file_id: UUID) -> AdjustmentFile:
        """The file as it stands.

        Raises:
            AdjustmentFileNotFoundError
        """
        async with self._database.transaction() as transaction:
            return await find_file(transaction, file_id)

    async def _take_page(self, taken: AdjustmentFile, page: CsvPage, read: ReadRecord) -> AdjustmentFile:
        rows = await in_slices(lambda record: read(record, page.columns, page.divider), page.records)
        unreadable = [row for row in rows if isinstance(row, LineRefusal)]
        readable = [row for row in rows if isinstance(row, Adjustment)]

        async def work(transaction: Transaction) -> AdjustmentFile:
            stands = await adjustment_files.lock(transaction, taken.file_id)
            # A last page may be empty: then only the state tells that somebody else has finished meanwhile.
            if stands is None or (stands.state, stands.records_taken) != (taken.state, taken.records_taken):
                raise ImportBusyError("this file is being sent by somebody else: wait, and look how far it is")
            accepted, impossible = await self._judge(transaction, readable)
            refusals = sorted(unreadable + impossible, key=lambda refusal: refusal.line)
            repeats = await adjustment_files.find_same(transaction, stands, page.digest) if page.is_last else None
            now = stands.with_page(accepted, refused=len(refusals), digest=page.digest, repeats=repeats)
            await adjustments.insert(transaction, accepted)
            if page.is_last:
                now = await self._finish(transaction, now)
            await adjustment_files.update(transaction, now)
            await adjustment_files.save_refusals(transaction, now.file_id, refusals)
            return now

        return await self._database.run(work)

    async def _finish(self, transaction: Transaction, file: AdjustmentFile) -> AdjustmentFile:
        """Close a file whose lines are all there, and count its points for its author where nobody else has to agree.

        What others move of its members meanwhile is seen when the lines are posted.
        """
        limits, day = self._rules.alone, today(transaction, self._programme)
        so_far = await moved_alone.lock(transaction, file.created_by, (), day)
        is_beyond = so_far.by_author + file.points_total > limits.author_day_points_max
        is_beyond = is_beyond or await moved_alone.is_any_above(
            transaction, file.file_id, limits.member_day_points_max, day
        )
        now = file.finished(self._rules, transaction.now, is_beyond_day=is_beyond)
        if now.state == "approved":
            await moved_alone.add_of_author(transaction, file.created_by, file.points_total, day)
        return now

    async def _judge(
        self, transaction: Transaction, readable: Sequence[Adjustment]
    ) -> tuple[list[Adjustment], list[LineRefusal]]:
        """Which lines can be posted as members stand now. They stay locked: nobody is erased while a note is kept."""
        owners = await lock_owners(transaction, {each.member_id for each in readable})
        day = today(transaction, self._programme)
        accepted: list[Adjustment] = []
        impossible: list[LineRefusal] = []
        for each in readable:
            refusal = why_not_posted(each, owners[each.member_id].status, day)
            if refusal is None:
                accepted.append(each)
            else:
                impossible.append(LineRefusal(each.line or 0, refusal, _COLUMN_OF.get(refusal, "member_id")))
        return accepted, impossible


async def find_file(transaction: Transaction, file_id: UUID) -> AdjustmentFile:
    """The file as it stands.

    Raises:
        AdjustmentFileNotFoundError
    """
    found = await adjustment_files.find(transaction, file_id)
    if found is None:
        raise AdjustmentFileNotFoundError("there is no such file")
    return found


def _header(names: Sequence[str]) -> tuple[str, ...]:
    return judged_header(names, known=COLUMNS, required=REQUIRED_COLUMNS)
