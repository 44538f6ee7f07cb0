"""What a member of a household sees of another one's purchases: nothing, unless that one has agreed."""

from uuid import UUID

from services.redemption.domain.errors import NotShownError
from services.redemption.repository import households
from services.redemption.use_cases.read_statement import Lens, Statement, StatementPosition, read_page
from services.redemption.use_cases.visibility import Viewer
from shared.database import Transaction
from shared.ledger.legs import CAPTURE, CLAW_BACK_AVAILABLE, EARN, REFUND, SPEND_LATE
from shared.point_types import Unit

# What was bought, brought back, spent and given back. Not what is held, set aside or owed: that was not agreed to.
PURCHASES = (EARN, CLAW_BACK_AVAILABLE, CAPTURE, SPEND_LATE, REFUND)


async def read_household_statement(
    transaction: Transaction,
    viewer: Viewer,
    household_id: UUID,
    member_id: UUID,
    reader_id: UUID,
    unit: Unit,
    position: StatementPosition | None,
    lines_max: int,
) -> Statement:
    """One page of what ``member_id`` bought, as ``reader_id`` of the same household may see it; no balance.

    Raises:
        NotShownError: one of the two does not belong to the household, or the member shows the reader nothing.
        UnknownMemberError: the registry has not told of the member, or has erased them.
    """
    household = await households.find_household(transaction, household_id)
    shown = () if household is None else household.shows_to(reader_id)
    if member_id not in shown:
        raise NotShownError
    lens = Lens(viewer, shown, PURCHASES)
    return await read_page(transaction, lens, member_id, unit, position, lines_max)
