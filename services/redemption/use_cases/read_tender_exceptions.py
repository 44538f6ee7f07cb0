"""A day's list of what points tenders brought up."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from uuid import UUID

from services.redemption.repository import tender_exceptions, voided_receipts
from services.redemption.repository.tender_exceptions import ExceptionState, TenderException
from services.redemption.use_cases.visibility import Viewer
from shared.database import Transaction

Position = tuple[datetime, UUID]


class Listed(NamedTuple):
    """One of the list, and whether a void of its receipt stands: then the sale never was, and nobody lost anything."""

    found: TenderException
    is_voided: bool


async def read_tender_exceptions(
    transaction: Transaction,
    viewer: Viewer,
    day: date | None,
    zone: tzinfo,
    state: ExceptionState | None,
    after: Position | None,
    rows_max: int,
) -> list[Listed]:
    """What came up on a day where the programme is (None: today), oldest first; of one state, or of either. A partner's
    client sees its own."""
    day = day or transaction.now.astimezone(zone).date()
    since, before = (datetime.combine(day + timedelta(days=days), time.min, zone) for days in (0, 1))
    found = await tender_exceptions.find(transaction, since, before, viewer.partner_id, state, after, rows_max)
    voids = await voided_receipts.find_standing(transaction, {one.receipt_key for one in found}) if found else {}
    return [Listed(one, voids.get(one.receipt_key) is not None) for one in found]
