"""Block an identifier, take a block back, or report a card lost."""

from collections.abc import Sequence

from services.members.domain.errors import IdentifierUnknownError
from services.members.domain.identifier_states import Action, Statement, next_state
from services.members.domain.registry import Identifier, newest_hashes
from services.members.repository import identifiers, registry
from services.members.use_cases import announcements, identifier_announcements
from shared import outbox
from shared.database import Transaction


async def change_identifier(
    transaction: Transaction, identifier_hashes: Sequence[str], action: Action, statement: Statement
) -> Identifier:
    """Let something happen to an identifier; record it, and IdentifierRevoked, or IdentifierLinked for an unblocking.

    It is named by any of its hashes, and what happens happens under all of them. Idempotent: an identifier that is so
    already is answered as it stands, and nothing happens. Locks the identifier, then its member.

    Raises:
        IdentifierUnknownError: it is nobody's.
        IdentifierStateError: its state does not allow this.
    """
    locked = newest_hashes(await identifiers.lock_identifiers(transaction, identifier_hashes))
    if not locked:
        raise IdentifierUnknownError("the identifier belongs to no member")
    identifier = locked[0]
    state = next_state(identifier.state, action)
    if state == identifier.state:
        return identifier
    await registry.lock_member(transaction, identifier.member_id)
    moved = await identifiers.move_identifier(transaction, identifier, state)
    await registry.raise_member_version(transaction, identifier.member_id)
    await identifiers.record_change(transaction, identifier, action, identifier.state, statement)
    messages = [
        announcements.linked(one, transaction.now)
        if state == "active"
        else identifier_announcements.revoked(one, statement.reason_code, transaction.now)
        for one in moved
    ]
    await outbox.record(transaction, messages)
    return newest_hashes(moved)[0]
