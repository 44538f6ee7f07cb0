"""Block an identifier, take a block back, or report a card lost."""

from services.members.domain.errors import IdentifierUnknownError
from services.members.domain.identifier_states import Action, Statement, next_state
from services.members.domain.registry import Identifier
from services.members.repository import identifiers, registry
from services.members.use_cases import announcements, identifier_announcements
from shared import outbox
from shared.database import Transaction


async def change_identifier(
    transaction: Transaction, identifier_hash: str, action: Action, statement: Statement
) -> Identifier:
    """Let something happen to an identifier; record it, and IdentifierRevoked, or IdentifierLinked for an unblocking.

    Idempotent: an identifier that is so already is answered as it stands, and nothing happens. Locks the identifier,
    then its member.

    Raises:
        IdentifierUnknownError: it is nobody's.
        IdentifierStateError: its state does not allow this.
    """
    identifier = await identifiers.lock_identifier(transaction, identifier_hash)
    if identifier is None:
        raise IdentifierUnknownError("the identifier belongs to no member")
    state = next_state(identifier.state, action)
    if state == identifier.state:
        return identifier
    await registry.lock_member(transaction, identifier.member_id)
    moved = await identifiers.move_identifier(transaction, identifier.hash, state)
    await registry.raise_member_version(transaction, identifier.member_id)
    await identifiers.record_change(transaction, identifier.hash, action, identifier.state, statement)
    message = (
        announcements.linked(moved, transaction.now)
        if moved.state == "active"
        else identifier_announcements.revoked(moved, statement.reason_code, transaction.now)
    )
    await outbox.record(transaction, [message])
    return moved
