"""Replace a card: the old one out, the new one in, at once. Points are the member's and stay where they are."""

from uuid import UUID

from services.members.domain.errors import IdentifierUnknownError, UnlikeReplacementError
from services.members.domain.identifier_states import Action, Statement, next_state
from services.members.domain.linking import judge_link
from services.members.domain.registry import Claim, Identifier
from services.members.repository import identifiers, registry
from services.members.use_cases import announcements, identifier_announcements
from services.members.use_cases.admit_cards import admit_cards
from shared import outbox
from shared.database import Transaction
from shared.outbox import Message


async def replace_identifier(
    transaction: Transaction, member_id: UUID, old_hash: str, new: Claim, statement: Statement, *, is_lost: bool
) -> tuple[Identifier, Identifier]:
    """Retire one of the member's identifiers and link another one in its place; both come back, the old one first.

    The old one is lost, or replaced. Idempotent: what is so already does not happen again. Locks both identifiers in
    the order of their hashes, then the member.

    Raises:
        IdentifierUnknownError: the old one is not this member's.
        CardNotIssuedError, MemberNotFoundError, IdentifierTakenError: as for linking the new one.
        IdentifierStateError: the old one was replaced before, or the new one is in use no more.
        UnlikeReplacementError: they are of two types, or one and the same.
    """
    if old_hash == new.hash:
        raise UnlikeReplacementError("an identifier cannot replace itself: send the new one's value")
    await admit_cards(transaction, [new])
    old, (linked, is_new) = await _lock_both(transaction, member_id, old_hash, new)
    judge_link(await registry.lock_member(transaction, member_id), linked)
    if old is None or old.member_id != member_id:
        raise IdentifierUnknownError("the identifier to replace is none of this member's")
    if old.type != linked.type:
        raise UnlikeReplacementError(f"a {old.type} is replaced by a {old.type}, not by a {linked.type}")
    next_state(linked.state, "link")  # one of the member's own may come in again only while it is in use
    action: Action = "report_lost" if is_lost and old.state != "lost" else "replace"
    state = next_state(old.state, action)
    messages: list[Message] = []
    if is_new:
        await identifiers.record_change(transaction, linked.hash, "link", "issued", statement)
        messages.append(announcements.linked(linked, transaction.now))
    if state != old.state:
        retired = await identifiers.move_identifier(transaction, old.hash, state)
        await identifiers.record_change(transaction, old.hash, action, old.state, statement)
        messages.append(identifier_announcements.revoked(retired, statement.reason_code, transaction.now))
        old = retired
    if messages:
        await registry.raise_member_version(transaction, member_id)
        await outbox.record(transaction, messages)
    return old, linked


async def _lock_both(
    transaction: Transaction, member_id: UUID, old_hash: str, new: Claim
) -> tuple[Identifier | None, tuple[Identifier, bool]]:
    if old_hash < new.hash:
        old = await identifiers.lock_identifier(transaction, old_hash)
        return old, await registry.claim_identifier(transaction, member_id, new)
    claimed = await registry.claim_identifier(transaction, member_id, new)
    return await identifiers.lock_identifier(transaction, old_hash), claimed
