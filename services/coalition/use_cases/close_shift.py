"""A till says what its shift came to, and is told what arrived of it."""

from services.coalition.domain.errors import ShiftClosedOtherwiseError, TillNotFoundError
from services.coalition.domain.shifts import ShiftName, ShiftReport, Stated
from services.coalition.repository import stores, till_shifts
from shared.database import Transaction


async def close_shift(transaction: Transaction, name: ShiftName, stated: Stated, closed_by: str) -> ShiftReport:
    """Keep what a till states of a shift; the shift as it stands comes back.

    Keyed by the shift: the same statement again changes nothing, whoever sends it. Receipts that arrive later are
    counted all the same, and close their gaps.

    Raises:
        TillNotFoundError: there is no such till.
        ShiftClosedOtherwiseError: other figures were stated before; they stand.
    """
    if not await stores.has_till(transaction, name.partner_id, name.store_id, name.till_id):
        raise TillNotFoundError("the partner has no such till in this store")
    report = await till_shifts.meet_shift(transaction, name)
    if report.stated == stated:
        return report
    if report.stated is not None:
        raise ShiftClosedOtherwiseError(
            f"this shift was closed before with {report.stated.count} documents and a total of "
            f"{report.stated.total_minor}: what was stated first stands"
        )
    await till_shifts.close_shift(transaction, name, stated, closed_by)
    return await till_shifts.meet_shift(transaction, name)
