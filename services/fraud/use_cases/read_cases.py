"""Cases for those who look at them: a page of the queue, and one case with what led to it."""

from typing import NamedTuple
from uuid import UUID

from services.fraud.domain.cases import Case, CaseSignal, CaseState, HeldReceipt
from services.fraud.repository import cases
from shared.database import Transaction

# The newest of a case; its figures say how many there are.
DETAIL_ROWS_MAX = 500


class CaseFile(NamedTuple):
    """A case with its newest signals and latest receipts."""

    case: Case
    signals: list[CaseSignal]
    receipts: list[HeldReceipt]


async def list_cases(
    transaction: Transaction, *, state: CaseState | None, partner_id: str | None, after: UUID | None, rows_max: int
) -> list[Case]:
    """Cases, newest first, of one state and partner or of all, from after a case's id on."""
    return await cases.load_page(transaction, state=state, partner_id=partner_id, after=after, rows_max=rows_max)


async def find_case(transaction: Transaction, case_id: UUID) -> Case | None:
    """One case as it stands."""
    return await cases.find(transaction, case_id)


async def read_case_file(transaction: Transaction, case: Case) -> CaseFile:
    """What led to a case: at most ``DETAIL_ROWS_MAX`` signals and receipts."""
    signals = await cases.load_signals(transaction, case.case_id, DETAIL_ROWS_MAX)
    receipts = await cases.load_receipts(transaction, case.case_id, DETAIL_ROWS_MAX)
    return CaseFile(case, signals, receipts)
