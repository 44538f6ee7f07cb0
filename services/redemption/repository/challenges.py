"""Codes that members were sent, without the codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.confirming import Challenge, Wish
from services.redemption.domain.standing import KnownStatus
from shared.database import Transaction
from shared.database.engine import BUSINESS_TIME, RawConnection

_COLUMNS = "challenge_id, decision_id, member_id, request_hash, key_id, expires_at, wrong_tries, used_at"
_LOCK = f"select {_COLUMNS} from redemption_challenges where decision_id = $1 for no key update"
_FIND_OPEN = f"""
    select {_COLUMNS} from redemption_challenges
    where decision_id = $1 and used_at is null and expires_at > {BUSINESS_TIME}
"""
# Two requests of one member count one after the other.
_LOCK_MEMBER = "select pg_advisory_xact_lock(hashtextextended(current_schema() || ' challenges ' || $1, 0))"
_COUNT = "select count(*) from redemption_challenges where member_id = $1 and sent_at > $2"
_SAVE = """
    insert into redemption_challenges (challenge_id, decision_id, member_id, kind, partner_id, point_type, points,
        request_hash, key_id, sent_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_SAVE_TRY = "update redemption_challenges set wrong_tries = $2, used_at = $3 where challenge_id = $1"
_SAVE_UNUSED = "update redemption_challenges set used_at = null where decision_id = $1"
_FIND_PARTY = """
    select member_id, status from redemption_members
    where member_id = (select coalesce(merged_into, member_id) from redemption_members where member_id = $1)
"""
_FIND_OWNER = """
    select coalesce(member.merged_into, identifier.member_id)
    from redemption_identifiers as identifier
        left join redemption_members as member using (member_id)
    where identifier.identifier_hash = any($1::text[])
    order by array_position($1::text[], identifier.identifier_hash)
    limit 1
"""


class Party(NamedTuple):
    """Who answers for a member, and that one's status."""

    member_id: UUID
    status: KnownStatus


async def lock(transaction: Transaction, decision_id: UUID) -> Challenge | None:
    """The challenge of one request, locked to the commit; None where no code was sent for it."""
    row = await transaction.raw.fetchrow(_LOCK, decision_id)
    return None if row is None else Challenge(**dict(row))


async def find_open(connection: RawConnection, decision_id: UUID) -> Challenge | None:
    """The same, before anything is locked: to ask about, not to decide by. None also of one that is over."""
    row = await connection.fetchrow(_FIND_OPEN, decision_id)
    return None if row is None else Challenge(**dict(row))


async def count_since(transaction: Transaction, member_id: UUID, since: datetime) -> int:
    """How many codes a member was sent; another request that asks for one waits until ours is committed."""
    await transaction.raw.execute(_LOCK_MEMBER, str(member_id))
    return int(await transaction.raw.fetchval(_COUNT, member_id, since))


async def save(transaction: Transaction, challenge: Challenge, wish: Wish) -> None:
    """Keep a new challenge."""
    await transaction.raw.execute(
        _SAVE,
        challenge.challenge_id,
        challenge.decision_id,
        challenge.member_id,
        wish.kind,
        wish.partner_id,
        wish.point_type,
        wish.points,
        challenge.request_hash,
        challenge.key_id,
        transaction.now,
        challenge.expires_at,
    )


async def save_try(transaction: Transaction, challenge: Challenge) -> None:
    """What became of a locked challenge."""
    await transaction.raw.execute(_SAVE_TRY, challenge.challenge_id, challenge.wrong_tries, challenge.used_at)


async def save_unused(transaction: Transaction, decision_id: UUID) -> None:
    """The challenge of one request, which this transaction has used, is open as it was before."""
    await transaction.raw.execute(_SAVE_UNUSED, decision_id)


async def find_party(transaction: Transaction, member_id: UUID) -> Party | None:
    """Who answers for this id; None for a stranger."""
    row = await transaction.raw.fetchrow(_FIND_PARTY, member_id)
    return None if row is None else Party(*row)


async def find_owner(connection: RawConnection, hashes: Sequence[str]) -> UUID | None:
    """Whose an identifier is, of the hashes that may stand for it, before anything is locked: to ask about, not to
    decide by."""
    owner: UUID | None = await connection.fetchval(_FIND_OWNER, list(hashes))
    return owner
