"""Types of member events: immutable versions, and how far the calendar has been gone through for each."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from services.accrual.domain.member_event_types import MemberEventType
from shared.database import Transaction

# One declaration at a time: versions rise without gaps. The number only has to differ from other advisory locks here.
_DECLARATION_LOCK = 7_300_016

_QUEUE = "select pg_advisory_xact_lock($1)"
_INSERT = """
    insert into member_event_types (code, version, effective_from, trigger, document, declared_by, declared_at)
    values ($1, $2, $3, $4, $5::jsonb, $6, $7)
"""
# All versions of a type are few, and which one counts the domain says.
_VERSIONS = "select document from member_event_types where code = $1 order by version"
_LATEST = "select document from member_event_types where code = $1 order by version desc limit 1"
_TRIGGERED = "select document from member_event_types where trigger = any($1::text[]) order by code, version"
_LIST = """
    select distinct on (code) document from member_event_types where code > $1 order by code, version desc limit $2
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


async def insert(transaction: Transaction, declared: MemberEventType, declared_by: str, first_day: date | None) -> None:
    """Keep a version; a type that time makes events of is gone through from ``first_day`` on."""
    await transaction.raw.execute(
        _INSERT,
        declared.code,
        declared.version,
        declared.effective_from,
        declared.trigger,
        declared.model_dump_json(by_alias=True),
        declared_by,
        transaction.now,
    )
    if first_day is not None:
        await transaction.raw.execute(_BEGIN_DAYS, declared.code, first_day)


async def find_latest(transaction: Transaction, code: str) -> MemberEventType | None:
    """The newest version, whether it counts already or not."""
    return _type(await transaction.raw.fetchval(_LATEST, code))


async def load_versions(transaction: Transaction, code: str) -> list[MemberEventType]:
    """Every version of a type, in their order; none where there is no such type."""
    rows = await transaction.raw.fetch(_VERSIONS, code)
    return [MemberEventType.model_validate(row["document"]) for row in rows]


async def load_triggered(transaction: Transaction, triggers: Sequence[str]) -> list[MemberEventType]:
    """Every version of the types that come about so, by code and version."""
    rows = await transaction.raw.fetch(_TRIGGERED, list(triggers))
    return [MemberEventType.model_validate(row["document"]) for row in rows]


async def load_page(transaction: Transaction, after: str, rows_max: int) -> list[MemberEventType]:
    """The newest version of each type, by code."""
    rows = await transaction.raw.fetch(_LIST, after, rows_max)
    return [MemberEventType.model_validate(row["document"]) for row in rows]


async def lock_due_day(transaction: Transaction, today: date) -> DueDay | None:
    """The earliest day that is to be gone through, up to today, locked; None where there is none to be had."""
    row = await transaction.raw.fetchrow(_LOCK_DUE_DAY, today)
    return None if row is None else DueDay(*row)


async def move_on(transaction: Transaction, due: DueDay) -> None:
    """Write how far a type has been gone through."""
    await transaction.raw.execute(_MOVE_ON, *due)


def _type(document: dict[str, Any] | None) -> MemberEventType | None:
    return None if document is None else MemberEventType.model_validate(document)
