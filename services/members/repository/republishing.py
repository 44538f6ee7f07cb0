"""Statements that read the registry page by page, to tell it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.members.domain.registry import Identifier, Member
from services.members.repository.registry import EMAIL_TYPE
from shared.database import Transaction
from shared.events.members import MemberStatus

# Locked, so that no newer event of these members gets into the outbox before the one that tells of their present state.
LOCK_PAGE = """
    select member_id, status, language, region, version, enrolled_at, birth_month, birth_day, merged_into, household_id
    from members
    where $1::uuid is null or member_id > $1
    order by member_id
    limit $2
    for no key update
"""

LOAD_STATES = "select member_id, version, status from members where member_id = any($1::uuid[])"

LOAD_CONTACT_CHANGES = """
    select member_id, version, contact_changed_at from members
    where member_id = any($1::uuid[]) and contact_changed_at is not null
    order by member_id
"""

LOAD_IDENTIFIERS = """
    select identifier_hash as hash, identifier_type as type, member_id, state, version, linked_at,
        identifier_id
    from identifiers
    where member_id = any($1::uuid[]) and identifier_type <> $2
    order by member_id, identifier_hash
"""


async def lock_page(transaction: Transaction, after: UUID | None, rows_max: int) -> list[Member]:
    """The members that follow ``after`` (None: the first), in the order of their ids, locked to the commit."""
    return [Member(**dict(row)) for row in await transaction.raw.fetch(LOCK_PAGE, after, rows_max)]


class State(NamedTuple):
    """As what a member stands."""

    version: int
    status: MemberStatus


async def load_states(transaction: Transaction, member_ids: Sequence[UUID]) -> dict[UUID, State]:
    """The present states of these members, which are not locked: a newer one may follow."""
    rows = await transaction.raw.fetch(LOAD_STATES, member_ids) if member_ids else []
    return {row["member_id"]: State(row["version"], row["status"]) for row in rows}


async def load_contact_changes(
    transaction: Transaction, member_ids: Sequence[UUID]
) -> list[tuple[UUID, int, datetime]]:
    """When those of these members whose e-mail address became another one got it, with their versions."""
    rows = await transaction.raw.fetch(LOAD_CONTACT_CHANGES, member_ids)
    return [(row["member_id"], row["version"], row["contact_changed_at"]) for row in rows]


async def load_identifiers(transaction: Transaction, member_ids: Sequence[UUID]) -> list[Identifier]:
    """What tills may read of these members, in whatever state."""
    rows = await transaction.raw.fetch(LOAD_IDENTIFIERS, member_ids, EMAIL_TYPE)
    return [Identifier(**dict(row)) for row in rows]
