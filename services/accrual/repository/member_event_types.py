"""Types of member events: immutable versions, what a second person said of each, and how far the calendar has come."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.accrual.domain.member_event_types import DeclaredType, MemberEventType
from shared.database import Transaction

# One declaration at a time: versions rise without gaps. The number only has to differ from other advisory locks here.
_DECLARATION_LOCK = 7_300_016

_QUEUE = "select pg_advisory_xact_lock($1)"
_INSERT = """
    insert into member_event_types (code, version, effective_from, trigger, document, declared_by, declared_at, state)
    values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8)
"""
_DECLARED = "select document, state, declared_by, declared_at, decided_by, decided_at, reason from member_event_types"
# All versions of a type are few, and which one counts the domain says.
_VERSIONS = "select document from member_event_types where code = $1 and state = 'approved' order by version"
_ALL_VERSIONS = f"{_DECLARED} where code = $1 order by version"
_TRIGGERED = """
    select document from member_event_types where trigger = any($1::text[]) and state = 'approved'
    order by code, version
"""
_NEWEST = """
    select distinct on (code) document from member_event_types where state = 'approved' order by code, version desc
"""
_LIST = """
    select distinct on (code) document, state, declared_by, declared_at, decided_by, decided_at, reason
    from member_event_types where code > $1 order by code, version desc limit $2
"""
_DECIDE = """
    update member_event_types set state = $3, decided_by = $4, decided_at = $5, reason = $6
    where code = $1 and version = $2
"""

_BEGIN_DAYS = """
    insert into member_event_days (type_code, next_day) values ($1, $2) on conflict (type_code) do nothing
"""
# Whoever is at it, others pass it over.
_LOCK_DUE_DAY = """
    select type_code, next_day, after_member from member_event_days where next_day <= $1
    order by next_day, type_code limit 1 for no key update skip locked
"""
_MOVE_ON = "update member_event_days set next_day = $2, after_member = $3 where type_code = $1"


class DueDay(NamedTuple):
    """A day that a type has to be gone through for, from the member after ``after_member`` on."""

    type_code: str
    day: date
    after_member: UUID | None


async def queue(transaction: Transaction) -> None:
    """Wait for other declarations to end."""
    await transaction.raw.execute(_QUEUE, _DECLARATION_LOCK)


async def insert(transaction: Transaction, declared: DeclaredType) -> None:
    """Keep a new version."""
    kind = declared.kind
    await transaction.raw.execute(
        _INSERT,
        kind.code,
        kind.version,
        kind.effective_from,
        kind.trigger,
        kind.model_dump_json(by_alias=True),
        declared.declared_by,
        declared.declared_at,
        declared.state,
    )


async def decide(transaction: Transaction, declared: DeclaredType) -> None:
    """Write what a second person said of a version."""
    kind = declared.kind
    await transaction.raw.execute(
        _DECIDE,
        kind.code,
        kind.version,
        declared.state,
        declared.decided_by,
        declared.decided_at,
        declared.reason,
    )


async def begin_days(transaction: Transaction, type_code: str, first_day: date) -> None:
    """Go through the days of a type that time makes events of, from this one on; those that have begun go on."""
    await transaction.raw.execute(_BEGIN_DAYS, type_code, first_day)


async def load_declared(transaction: Transaction, code: str) -> list[DeclaredType]:
    """Every version of a type, in their order, whatever a second person said of it."""
    return [_declared(row) for row in await transaction.raw.fetch(_ALL_VERSIONS, code)]


async def load_versions(transaction: Transaction, code: str) -> list[MemberEventType]:
    """Every approved version of a type, in their order; none where there is no such type."""
    rows = await transaction.raw.fetch(_VERSIONS, code)
    return [MemberEventType.model_validate(row["document"]) for row in rows]


async def load_newest(transaction: Transaction) -> list[MemberEventType]:
    """The newest approved version of each type."""
    return [MemberEventType.model_validate(row["document"]) for row in await transaction.raw.fetch(_NEWEST)]


async def load_triggered(transaction: Transaction, triggers: Sequence[str]) -> list[MemberEventType]:
    """Every approved version of the types that come about so, by code and version."""
    rows = await transaction.raw.fetch(_TRIGGERED, list(triggers))
    return [MemberEventType.model_validate(row["document"]) for row in rows]


async def load_page(transaction: Transaction, after: str, rows_max: int) -> list[DeclaredType]:
    """The newest version of each type, approved or not, by code."""
    return [_declared(row) for row in await transaction.raw.fetch(_LIST, after, rows_max)]


async def lock_due_day(transaction: Transaction, today: date) -> DueDay | None:
    """The earliest day that is to be gone through, up to today, locked; None where there is none to be had."""
    row = await transaction.raw.fetchrow(_LOCK_DUE_DAY, today)
    return None if row is None else DueDay(*row)


async def move_on(transaction: Transaction, due: DueDay) -> None:
    """Write how far a type has been gone through."""
    await transaction.raw.execute(_MOVE_ON, *due)


def _declared(row: asyncpg.Record) -> DeclaredType:
    document, *said = row
    return DeclaredType(MemberEventType.model_validate(document), *said)
