"""Finds parked receipts whose counterpart is there. There should never be one: each is a hole in the protocol."""

from services.accrual.repository import parked, projections
from services.accrual.use_cases.release_parked import release_parked
from shared.database import Transaction


async def sweep_parked(transaction: Transaction) -> int:
    """Release stranded receipts; how many there were comes back, for the metric that has to stay at zero."""
    stranded = await parked.find_stranded(transaction)
    if not stranded:
        return 0
    await parked.meet(transaction, [_meeting_row(key) for key in stranded if not key.startswith("r:")])
    hashes = [key.removeprefix("i:") for key in stranded if key.startswith("i:")]
    members = await projections.find_members(transaction, hashes) if hashes else {}
    return await release_parked(transaction, stranded, members)


def _meeting_row(waits_for: str) -> str:
    if waits_for.startswith(parked.MEETS_RULES):
        return parked.MEETS_RULES
    if not waits_for.startswith("c:"):
        return waits_for
    partner_id, _ = parked.contract_waited_for(waits_for)
    return parked.meets_contract(partner_id)
