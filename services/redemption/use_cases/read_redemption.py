"""A redemption as it stands."""

from uuid import UUID

from services.redemption.domain.errors import UnknownRedemptionError
from services.redemption.domain.redemption import Capture, Redemption
from services.redemption.repository import captures, redemptions
from services.redemption.use_cases.visibility import Viewer
from shared.database import Transaction

CAPTURES_SHOWN_MAX = 200


async def read_redemption(
    transaction: Transaction, viewer: Viewer, redemption_id: UUID
) -> tuple[Redemption, list[Capture]]:
    """A redemption and what receipts took of it, oldest first, at most ``CAPTURES_SHOWN_MAX``.

    Raises:
        UnknownRedemptionError: not there, or another partner's.
    """
    redemption = await redemptions.find_redemption(transaction, redemption_id)
    if redemption is None or not viewer.sees(redemption.partner_id):
        raise UnknownRedemptionError
    return redemption, await captures.load_captures_of(transaction, redemption_id, CAPTURES_SHOWN_MAX)
