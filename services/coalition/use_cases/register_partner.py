"""Register a partner."""

from services.coalition.domain.errors import PartnerExistsError
from services.coalition.domain.registry import Partner
from services.coalition.repository import partners
from services.coalition.use_cases import announcements
from shared import outbox
from shared.database import Transaction


async def register_partner(transaction: Transaction, partner: Partner) -> None:
    """Write a partner and record PartnerChanged.

    Raises:
        PartnerExistsError: the id is taken; nothing is written.
    """
    if not await partners.insert_partner(transaction, partner):
        raise PartnerExistsError(f"there is a partner {partner.partner_id} already")
    await outbox.record(transaction, [announcements.partner_changed(transaction, partner)])
