"""Replace a card: the old one out, the new one in, at once. Points are the member's and stay where they are."""

from collections.abc import Sequence
from uuid import UUID

from services.members.domain.errors import IdentifierUnknownError, UnlikeReplacementError
from services.members.domain.identifier_states import Action, Statement, next_state
from services.members.domain.linking import judge_link
from services.members.domain.registry import Claim, Identifier, newest_hashes
from services.members.repository import claiming, identifiers, registry
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases import announcements, identifier_announcements
from services.members.use_cases.admit_cards import admit_cards
from services.members.use_cases.link_identifier import seal_for
from shared import outbox
from shared.database import Transaction
from shared.outbox import Message


async def replace_identifier(
    transaction: Transaction,
    member_id: UUID,
    old_hashes: Sequence[str],
    new: Claim,
    statement: Statement,
    master_keys: MasterKeys,
    *,
    is_lost: bool,
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
    if not set(new.hashes).isdisjoint(old_hashes):
        raise UnlikeReplacementError("an identifier cannot replace itself: send the new one's value")
    await admit_cards(transaction, [new])
    sealed = await seal_for(transaction, member_id, new, master_keys)
    locked = await identifiers.lock_identifiers(transaction, {*old_hashes, *new.hashes})
    claimed = await claiming.claim_identifier(transaction, member_id, new, sealed)
    linked, old = claimed.identifier, _named(old_hashes, locked)
    judge_link(await registry.lock_member(transaction, member_id), linked)
    if old is None or old.member_id != member_id:
        raise IdentifierUnknownError("the identifier to replace is none of this member's")
    if old.type != linked.type:
        raise UnlikeReplacementError(f"a {old.type} is replaced by a {old.type}, not by a {linked.type}")
    next_state(linked.state, "link")  # one of the member's own may come in again only while it is in use
    action: Action = "report_lost" if is_lost and old.state != "lost" else "replace"
    state = next_state(old.state, action)
    messages: list[Message] = []
    if claimed.is_new:
        await identifiers.record_change(transaction, linked, "link", "issued", statement)
        messages += [announcements.linked(one, transaction.now) for one in claimed.fresh]
    else:
        twins = await claiming.join_twins(transaction, claimed, sealed)
        messages += [identifier_announcements.known_anew(one, transaction.now) for one in twins]
    if state != old.state:
        retired = await identifiers.move_identifier(transaction, old, state)
        await identifiers.record_change(transaction, old, action, old.state, statement)
        messages += [identifier_announcements.revoked(one, statement.reason_code, transaction.now) for one in retired]
        old = newest_hashes(retired)[0]
    if messages:
        await registry.raise_member_version(transaction, member_id)
        await outbox.record(transaction, messages)
    return old, linked


def _named(hashes: Sequence[str], locked: Sequence[Identifier]) -> Identifier | None:
    """Of what is locked, the identifier that one of the hashes names."""
    ids = {one.identifier_id for one in locked if one.hash in hashes}
    return next((one for one in newest_hashes(locked) if one.identifier_id in ids), None)
