"""Statements on identifiers after they were linked, and on their history."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.members.domain.identifier_states import Action, Happening, Statement
from services.members.domain.registry import Identifier
from services.members.repository.registry import EMAIL_TYPE
from shared.database import Transaction
from shared.events.members import IdentifierState

HISTORY_ROWS_MAX = 500

_COLUMNS = "identifier_hash, identifier_type, member_id, state, version, linked_at"

# An e-mail address is no identifier to anybody but the registry itself.
LOCK = f"""
    select {_COLUMNS} from identifiers where identifier_hash = $1 and identifier_type <> $2 for no key update
"""

FIND = f"select {_COLUMNS} from identifiers where identifier_hash = any($1::text[]) and identifier_type <> $2"

MOVE = f"""
    update identifiers set state = $2, version = version + 1 where identifier_hash = $1 returning {_COLUMNS}
"""

RECORD_CHANGE = """
    insert into identifier_changes (
        identifier_id, version, member_id, identifier_type, action, from_state, to_state, reason_code, author,
        changed_at
    )
    select identifier_id, version, member_id, identifier_type, $2, $3, state, $4, $5, $6
    from identifiers
    where identifier_hash = $1
"""

LOAD_CHANGES = """
    select identifier_id, version, identifier_type, action, from_state, to_state, reason_code, author, changed_at
    from identifier_changes
    where member_id in (select $1 union all select member_id from members where merged_into = $1)
    order by changed_at desc, identifier_id, version desc
    limit $2
"""


class Change(NamedTuple):
    """One thing that happened to an identifier, and who said so."""

    identifier_id: UUID
    version: int
    identifier_type: str
    action: Happening
    from_state: IdentifierState
    to_state: IdentifierState
    reason_code: str
    author: str
    changed_at: datetime


async def lock_identifier(transaction: Transaction, identifier_hash: str) -> Identifier | None:
    """The identifier, locked to the commit. Whoever locks several does so in the order of their hashes."""
    row = await transaction.raw.fetchrow(LOCK, identifier_hash, EMAIL_TYPE)
    return None if row is None else _identifier(row)


async def find_identifiers(transaction: Transaction, identifier_hashes: Sequence[str]) -> dict[str, Identifier]:
    """Those of the identifiers that are somebody's, by their hash."""
    rows = await transaction.raw.fetch(FIND, identifier_hashes, EMAIL_TYPE)
    return {row["identifier_hash"]: _identifier(row) for row in rows}


async def move_identifier(transaction: Transaction, identifier_hash: str, state: IdentifierState) -> Identifier:
    """Put a locked identifier into a state; its version rises."""
    row = await transaction.raw.fetchrow(MOVE, identifier_hash, state)
    if row is None:
        raise RuntimeError("a locked identifier is gone")
    return _identifier(row)


async def record_change(
    transaction: Transaction,
    identifier_hash: str,
    action: Action,
    from_state: IdentifierState,
    statement: Statement,
) -> None:
    """Add to the history what has just happened to a locked identifier, at its present version."""
    await transaction.raw.execute(
        RECORD_CHANGE,
        identifier_hash,
        action,
        from_state,
        statement.reason_code,
        statement.author,
        transaction.now,
    )


async def load_changes(transaction: Transaction, member_id: UUID) -> list[Change]:
    """What happened to identifiers of a member and of whoever it answers for; the newest ``HISTORY_ROWS_MAX`` of it."""
    return [Change(**dict(row)) for row in await transaction.raw.fetch(LOAD_CHANGES, member_id, HISTORY_ROWS_MAX)]


def _identifier(row: asyncpg.Record) -> Identifier:
    return Identifier(
        hash=row["identifier_hash"],
        type=row["identifier_type"],
        member_id=row["member_id"],
        state=row["state"],
        version=row["version"],
        linked_at=row["linked_at"],
    )
