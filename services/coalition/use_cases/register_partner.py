"""Register a partner."""

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.errors import PartnerExistsError
from services.coalition.domain.registry import Partner
from services.coalition.repository import partners
from services.coalition.use_cases import announcements
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction


async def register_partner(transaction: Transaction, partner: Partner, author: str) -> None:
    """Write a partner, and record the act and PartnerChanged.

    Raises:
        PartnerExistsError: the id is taken; nothing is written.
    """
    if not await partners.insert_partner(transaction, partner):
        raise PartnerExistsError(f"there is a partner {partner.partner_id} already")
    act = Act(author, "partner.registered", partner.partner_id, partner.partner_id, after=facts_of(partner))
    await record_acts(transaction, [act])
    await outbox.record(transaction, [announcements.partner_changed(transaction, partner)])
