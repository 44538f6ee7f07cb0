"""Statements on identifiers after they were linked, and on their history."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.members.domain.identifier_states import Action, Happening, Statement
from services.members.domain.registry import Identifier
from services.members.repository.claiming import COLUMNS, identifier_of
from services.members.repository.registry import EMAIL_TYPE
from shared.database import Transaction
from shared.database.engine import RawConnection
from shared.events.members import IdentifierState

HISTORY_ROWS_MAX = 500

# An e-mail address is no identifier to anybody but the registry itself. Whatever hash it is named by, an identifier is
# locked under all of them: they have one state.
LOCK = f"""
    select {COLUMNS} from identifiers
    where identifier_id in (
        select identifier_id from identifiers where identifier_hash = any($1::text[]) and identifier_type <> $2
    )
    order by identifier_hash
    for no key update
"""

FIND = f"select {COLUMNS} from identifiers where identifier_hash = any($1::text[]) and identifier_type <> $2"

MOVE = f"""
    update identifiers set state = $2, version = version + 1 where identifier_id = $1 returning {COLUMNS}
"""

RECORD_CHANGE = """
    insert into identifier_changes (
        identifier_id, version, member_id, identifier_type, action, from_state, to_state, reason_code, author,
        changed_at
    )
    select identifier_id, version, member_id, identifier_type, $2, $3, state, $4, $5, $6
    from identifiers
    where identifier_id = $1
    order by version desc
    limit 1
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


async def lock_identifiers(transaction: Transaction, identifier_hashes: Collection[str]) -> list[Identifier]:
    """The identifiers that these hashes name, under all their hashes, locked to the commit in the order of hashes."""
    rows = await transaction.raw.fetch(LOCK, list(identifier_hashes), EMAIL_TYPE)
    return [identifier_of(row) for row in rows]


async def find_identifiers(connection: RawConnection, identifier_hashes: Sequence[str]) -> dict[str, Identifier]:
    """Those of the identifiers that are somebody's, by their hash. One statement, which needs no transaction."""
    rows = await connection.fetch(FIND, identifier_hashes, EMAIL_TYPE)
    return {row["identifier_hash"]: identifier_of(row) for row in rows}


async def move_identifier(transaction: Transaction, identifier: Identifier, state: IdentifierState) -> list[Identifier]:
    """Put a locked identifier into a state, under all its hashes, which come back; their versions rise.

    A twin that was written while the lock was waited for moves too: whoever writes one holds the lock meanwhile.
    """
    rows = await transaction.raw.fetch(MOVE, identifier.identifier_id, state)
    if not rows:
        raise RuntimeError("a locked identifier is gone")
    return [identifier_of(row) for row in rows]


async def record_change(
    transaction: Transaction,
    identifier: Identifier,
    action: Action,
    from_state: IdentifierState,
    statement: Statement,
) -> None:
    """Add to the history what has just happened to a locked identifier, at its present version."""
    await transaction.raw.execute(
        RECORD_CHANGE,
        identifier.identifier_id,
        action,
        from_state,
        statement.reason_code,
        statement.author,
        transaction.now,
    )


async def load_changes(transaction: Transaction, member_id: UUID) -> list[Change]:
    """What happened to identifiers of a member and of whoever it answers for; the newest ``HISTORY_ROWS_MAX`` of it."""
    return [Change(**dict(row)) for row in await transaction.raw.fetch(LOAD_CHANGES, member_id, HISTORY_ROWS_MAX)]
