"""Take in a file of members, page by page, so that a file that breaks off goes on where it stopped."""

from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias
from uuid import UUID

from services.members.domain.member_import import COLUMNS, REQUIRED_COLUMNS, Import, ImportNotFoundError
from services.members.repository import member_imports
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.enrol_many import EnrolledMeanwhileError, enrol_many
from services.members.use_cases.enrol_member import Enrolment
from shared.database import Database, Transaction
from shared.database.under_way import in_slices
from shared.web.csv_pages import CsvPage, ImportBusyError, LineRefusal, judged_header, take_pages
from shared.web.csv_records import CsvRecord

PAGE_RECORDS = 500
PAGE_ATTEMPTS_MAX = 5

# One record and the names of its columns → who wants to join, or why nobody does.
ReadRecord: TypeAlias = Callable[[CsvRecord, Sequence[str], str], Enrolment | LineRefusal]


class MemberImporter:
    """Takes files in. Every page is one transaction: its members, its refusals, and how far the file has come."""

    def __init__(self, database: Database, master_keys: MasterKeys) -> None:
        self._database = database
        self._master_keys = master_keys

    async def take(
        self, import_id: UUID, only_partner: str | None, chunks: AsyncIterable[bytes], read: ReadRecord
    ) -> Import:
        """Take a file in, from the first record that was not taken before; the import as it is then.

        Safe to repeat: the same file, sent again from its beginning, goes on after the last page that was committed,
        and a file that is finished changes nothing. Everything that was committed stays, whatever fails.

        Raises:
            ImportNotFoundError: no such import, or another partner's.
            UnusableHeaderError, UnreadableCsvError: what is wrong, and on which line.
            AnotherFileError: the file differs from what was taken in before.
            ImportBusyError: two send the file at once.
        """
        taken = await self.find(import_id, only_partner)

        async def take_page(taken: Import, page: CsvPage) -> Import:
            return await self._take_page(taken, page, read)

        return await take_pages(chunks, taken, _header, take_page, records_max=PAGE_RECORDS)

    async def find(self, import_id: UUID, only_partner: str | None) -> Import:
        """The import as it stands.

        Raises:
            ImportNotFoundError
        """
        async with self._database.transaction() as transaction:
            found = await member_imports.find_import(transaction, import_id)
        if found is None or (only_partner is not None and found.partner_id != only_partner):
            raise ImportNotFoundError("there is no such import")
        return found

    async def _take_page(self, taken: Import, page: CsvPage, read: ReadRecord) -> Import:
        rows = await in_slices(lambda record: (record.line, read(record, page.columns, page.divider)), page.records)
        refusals = [row for _, row in rows if isinstance(row, LineRefusal)]
        wanted = [(line, row) for line, row in rows if isinstance(row, Enrolment)]

        async def work(transaction: Transaction) -> Import:
            stands = await member_imports.lock_import(transaction, taken.import_id)
            # A last page may be empty: then only the state tells that somebody else has finished meanwhile.
            if stands is None or (stands.state, stands.records_taken) != (taken.state, taken.records_taken):
                raise ImportBusyError("this import's file is being sent by somebody else: wait, and look how far it is")
            outcomes = await enrol_many(
                transaction, [row for _, row in wanted], self._master_keys, f"import:{taken.import_id}", "import"
            )
            refused = refusals + [
                LineRefusal(line, outcome, None)
                for (line, _), outcome in zip(wanted, outcomes, strict=True)
                if outcome is not None
            ]
            now_taken = replace(
                stands,
                state="finished" if page.is_last else "open",
                records_taken=stands.records_taken + len(page.records),
                enrolled=stands.enrolled + outcomes.count(None),
                refused=stands.refused + len(refused),
                content_digest=page.digest,
                finished_at=transaction.now if page.is_last else None,
            )
            await member_imports.update_import(transaction, now_taken, refused)
            return now_taken

        for _ in range(PAGE_ATTEMPTS_MAX - 1):
            try:
                return await self._database.run(work)
            except EnrolledMeanwhileError:
                continue
        return await self._database.run(work)


def _header(names: Sequence[str]) -> tuple[str, ...]:
    return judged_header(names, known=COLUMNS, required=REQUIRED_COLUMNS)
