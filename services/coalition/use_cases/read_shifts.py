"""Read which receipts never came, and where tills and arrivals differ. Changes nothing."""

from datetime import date

from services.coalition.domain.shifts import ShiftReport
from services.coalition.repository import till_shifts
from services.coalition.use_cases.read_partners import read_partner
from shared.database import Transaction


async def read_shifts(
    transaction: Transaction,
    partner_id: str,
    days: tuple[date, date],
    *,
    is_closed: bool,
    after: tuple[date, str, str, int] | None,
    rows_max: int,
) -> list[ShiftReport]:
    """A partner's shifts of these days: the closed ones, or those with numbers that never came.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await read_partner(transaction, partner_id)
    return await till_shifts.load_shifts(
        transaction, partner_id, days, is_closed=is_closed, after=after, rows_max=rows_max
    )
