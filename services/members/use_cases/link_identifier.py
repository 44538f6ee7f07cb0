"""Link an identifier to a member: receipts that bear it are the member's from now on."""

from uuid import UUID

from services.members.domain.identifier_states import Statement
from services.members.domain.linking import judge_link
from services.members.domain.registry import Claim, Identifier
from services.members.repository import identifiers, registry
from services.members.use_cases import announcements
from services.members.use_cases.admit_cards import admit_cards
from shared import outbox
from shared.database import Transaction

LINKED = "linked"


async def link_identifier(
    transaction: Transaction, member_id: UUID, claim: Claim, author: str, *, reason_code: str = LINKED
) -> Identifier:
    """Give the member an identifier that nobody has, and record IdentifierLinked.

    Idempotent: an identifier that is this member's already is answered as it is, and nothing happens. Locks the
    identifier, then the member.

    Raises:
        CardNotIssuedError: it is a card of a range that may not be linked.
        MemberNotFoundError, IdentifierTakenError: the transaction must be rolled back.
    """
    await admit_cards(transaction, [claim])
    identifier, is_new = await registry.claim_identifier(transaction, member_id, claim)
    judge_link(await registry.lock_member(transaction, member_id), identifier)
    if is_new:
        await registry.raise_member_version(transaction, member_id)
        await identifiers.record_change(transaction, claim.hash, "link", "issued", Statement(reason_code, author))
        await outbox.record(transaction, [announcements.linked(identifier)])
    return identifier
