"""An address is another one: what was confirmed for the old one does not count for the new one."""

from dataclasses import replace
from uuid import UUID

from services.members.domain.consents import CONFIRMED_CHANNELS, withdrawn_with_address
from services.members.repository import consents
from services.members.use_cases.read_consents import CONSENTS_MAX
from services.members.use_cases.record_consent import let_hold
from shared.database import Transaction
from shared.ids import new_id


async def withdraw_confirmed(transaction: Transaction, member_id: UUID, author: str) -> None:
    """Withdraw a locked member's consents over channels that are confirmed, to the programme and to partners.

    Each is a statement in the history, whose source says why, and a ConsentChanged. What waits for its confirmation
    waits no more: the token was sent to the old address. Both may be given again, and are confirmed then. Other
    channels keep what was said: no address was ever shown to be the member's there.
    """
    pending = await consents.load_awaited(transaction, member_id, only_partner=None, rows_max=CONSENTS_MAX)
    for awaited in pending:
        if awaited.statement.key.channel in CONFIRMED_CHANNELS:
            await consents.settle_confirmation(transaction, replace(awaited, state="superseded"), author)
    held = await consents.load_consents(transaction, member_id, only_partner=None, rows_max=CONSENTS_MAX)
    for consent in held:
        if consent.statement.is_granted and consent.statement.key.channel in CONFIRMED_CHANNELS:
            withdrawal = withdrawn_with_address(consent.statement, new_id(), transaction.now, author)
            await consents.insert_statement(transaction, withdrawal)
            await let_hold(transaction, withdrawal, consent)
