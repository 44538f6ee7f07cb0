"""Read where a partner stands, and what it has paid. Changes nothing."""

from dataclasses import dataclass

from services.coalition.domain.errors import PartnerNotFoundError
from services.coalition.domain.exposure import Exposure, PointSums, Position
from services.coalition.domain.top_ups import Paid, TopUp
from services.coalition.repository import contracts as contract_rows
from services.coalition.repository import exposure as rows
from services.coalition.repository import partners, top_ups
from services.coalition.use_cases.exposure_events import sums_by_type
from services.coalition.use_cases.judge_exposure import position_now
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class ExposureStory:
    """What was last told of a partner, where it stands now, and its points by type."""

    exposure: Exposure
    position: Position
    points: list[PointSums]


async def read_exposure(transaction: Transaction, partner_id: str) -> ExposureStory:
    """Where a partner stands by all that was counted and paid so far.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await _require_partner(transaction, partner_id)
    exposure = await rows.find_exposure(transaction, partner_id)
    contracts = await contract_rows.load_approved(transaction, [partner_id])
    sums = (await rows.load_sums(transaction, [partner_id])).get(partner_id, [])
    paid = (await top_ups.load_paid(transaction, [partner_id])).get(partner_id, Paid())
    position = position_now(contracts, sums, paid, transaction.now)
    return ExposureStory(exposure, position, sums_by_type(sums))


async def read_top_ups(transaction: Transaction, partner_id: str, *, after: str | None, rows_max: int) -> list[TopUp]:
    """Up to ``rows_max`` payments after a document, in the order of documents.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await _require_partner(transaction, partner_id)
    return await top_ups.load_top_ups(transaction, partner_id, after=after, rows_max=rows_max)


async def _require_partner(transaction: Transaction, partner_id: str) -> None:
    if await partners.find_partner(transaction, partner_id) is None:
        raise PartnerNotFoundError("there is no such partner")
