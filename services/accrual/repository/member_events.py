"""Member events, each once for ever."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from services.accrual.domain.member_events import MemberEvent
from shared.database import Transaction

_NAMES = tuple(field.name for field in fields(MemberEvent))
_COLUMNS = ", ".join(_NAMES)

_FIND = f"select {_COLUMNS} from member_events where event_id = $1"
_FIND_KNOWN = f"select {_COLUMNS} from member_events where event_id = any($1::uuid[])"
_LIST_OF_MEMBER = f"""
    select {_COLUMNS} from member_events where member_id = $1 and event_id > $2 order by event_id limit $3
"""
_REVOKE = """
    update member_events
    set state = 'revoked', became_debt = $2, revoked_by = $3, revoked_at = $4, revoke_reason = $5, clipped = $6
    where event_id = $1
"""

_ABSORBED = "select owner_id, survivor_id from ledger_aliases where survivor_id = any($1::uuid[])"

# Of one who was merged, all ids together. What was undone does not count.
_COUNT = """
    select asked.ordinal, count(event.event_id)::bigint
    from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[]) with ordinality
            as asked (owner_id, type_code, since, before, ordinal)
        cross join lateral (
            select asked.owner_id as member_id
            union all
            select owner_id from ledger_aliases where survivor_id = asked.owner_id
        ) as one
        join member_events as event on event.member_id = one.member_id and event.type_code = asked.type_code
            and event.state = 'awarded'
            and (asked.since is null or event.occurred_at >= asked.since)
            and (asked.before is null or event.occurred_at < asked.before)
    group by asked.ordinal
"""

FORGET_PAYLOADS = "update member_events set payload = '{}' where member_id = any($1::uuid[]) and payload <> '{}'"


class Window(NamedTuple):
    """Events of a type that count together: an owner's, from ``since`` until before ``before`` (None: for ever)."""

    owner_id: UUID
    type_code: str
    since: datetime | None
    before: datetime | None


async def find(transaction: Transaction, event_id: UUID) -> MemberEvent | None:
    """An event as it stands."""
    row = await transaction.raw.fetchrow(_FIND, event_id)
    return None if row is None else event_of(row)


async def find_known(transaction: Transaction, event_ids: Collection[UUID]) -> dict[UUID, MemberEvent]:
    """Those of the events that were told of before."""
    rows = await transaction.raw.fetch(_FIND_KNOWN, list(event_ids))
    return {row["event_id"]: event_of(row) for row in rows}


async def find_absorbed(transaction: Transaction, owner_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """For whom each of these owners answers, since they were merged; absent where for nobody."""
    found: dict[UUID, list[UUID]] = {}
    for row in await transaction.raw.fetch(_ABSORBED, list(owner_ids)):
        found.setdefault(row["survivor_id"], []).append(row["owner_id"])
    return found


async def count(transaction: Transaction, windows: Sequence[Window]) -> dict[Window, int]:
    """How many events gave points in each of these windows. The owners are locked."""
    counts = dict.fromkeys(windows, 0)
    if not windows:
        return counts
    columns = [list(column) for column in zip(*windows, strict=True)]
    for ordinal, number in await transaction.raw.fetch(_COUNT, *columns):
        counts[windows[ordinal - 1]] = number
    return counts


async def insert(transaction: Transaction, events: Sequence[MemberEvent]) -> None:
    """Keep events; one that is known is impossible (primary key)."""
    if events:
        records = [_row(event) for event in events]
        await transaction.raw.copy_records_to_table("member_events", columns=_NAMES, records=records)


async def revoke(transaction: Transaction, event: MemberEvent) -> None:
    """Write that an event was undone."""
    await transaction.raw.execute(
        _REVOKE,
        event.event_id,
        event.became_debt,
        event.revoked_by,
        event.revoked_at,
        event.revoke_reason,
        event.clipped,
    )


async def load_of_member(transaction: Transaction, member_id: UUID, after_id: UUID, rows_max: int) -> list[MemberEvent]:
    """A member's, by id. The member's id is taken as it stands."""
    return [event_of(row) for row in await transaction.raw.fetch(_LIST_OF_MEMBER, member_id, after_id, rows_max)]


async def forget(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Take away what was said of these members; that something happened, and what it gave, stays."""
    await transaction.raw.execute(FORGET_PAYLOADS, list(member_ids))


def event_of(row: asyncpg.Record) -> MemberEvent:
    """From a row of ``member_events``."""
    return MemberEvent(**dict(row))


def _row(event: MemberEvent) -> tuple[Any, ...]:
    values = {name: getattr(event, name) for name in _NAMES}
    return tuple((values | {"payload": orjson.dumps(dict(event.payload)).decode()}).values())
