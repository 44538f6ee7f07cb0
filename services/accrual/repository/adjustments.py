"""Adjustments as they were asked for, and what became of each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.accrual.domain.adjustments import Adjustment, AdjustmentState
from shared.database import Transaction

_NAMES = tuple(field.name for field in fields(Adjustment))
_COLUMNS = ", ".join(_NAMES)

_FIND = f"select {_COLUMNS} from adjustments where adjustment_id = $1"
_LOCK = f"{_FIND} for no key update"

# A page of a file whose row is locked: nobody else posts of it meanwhile.
_LOCK_PAGE = f"""
    select {_COLUMNS} from adjustments where file_id = $1 and state = 'waiting'
    order by line limit $2 for no key update
"""

_SETTLE = """
    update adjustments
    set state = settled.state, refusal = settled.refusal, posted_points = settled.posted_points,
        decided_by = settled.decided_by, decided_at = $1
    from unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[])
        as settled (adjustment_id, state, refusal, posted_points, decided_by)
    where adjustments.adjustment_id = settled.adjustment_id
"""

# Under either id of who was merged, or both.
_LIST = f"""
    select {_COLUMNS} from adjustments
    where ($1::text is null or state = $1)
        and ($2::uuid is null or member_id = $2
            or member_id in (select owner_id from ledger_aliases where survivor_id = $2))
        and ($3::text is null or reason_code = $3)
        and ($4::text is null or created_by = $4)
        and ($5::uuid is null or file_id = $5)
        and ($6::timestamptz is null or (created_at, adjustment_id) < ($6, $7))
    order by created_at desc, adjustment_id desc
    limit $8
"""

_LIST_OF_MEMBER = f"""
    select {_COLUMNS} from adjustments
    where member_id = $1 and adjustment_id > $2
    order by adjustment_id
    limit $3
"""

# What happened goes on adding up; what somebody wrote about it may lead to the person.
FORGET_NOTES = "update adjustments set note = null where member_id = any($1::uuid[]) and note is not null"


@dataclass(frozen=True, slots=True)
class AdjustmentFilter:
    """Which adjustments are asked for; None: whatever they are."""

    state: AdjustmentState | None = None
    member_id: UUID | None = None
    reason_code: str | None = None
    author: str | None = None
    file_id: UUID | None = None


async def find(transaction: Transaction, adjustment_id: UUID) -> Adjustment | None:
    """An adjustment as it stands."""
    row = await transaction.raw.fetchrow(_FIND, adjustment_id)
    return None if row is None else adjustment_of(row)


async def lock(transaction: Transaction, adjustment_id: UUID) -> Adjustment | None:
    """The same, locked to the commit."""
    row = await transaction.raw.fetchrow(_LOCK, adjustment_id)
    return None if row is None else adjustment_of(row)


async def lock_page(transaction: Transaction, file_id: UUID, rows_max: int) -> list[Adjustment]:
    """The first lines of a file that are not decided, locked. The caller holds the file."""
    return [adjustment_of(row) for row in await transaction.raw.fetch(_LOCK_PAGE, file_id, rows_max)]


async def insert(transaction: Transaction, new: Sequence[Adjustment]) -> None:
    """Keep adjustments; one that is there already is impossible (primary key)."""
    if new:
        await transaction.raw.copy_records_to_table(
            "adjustments", columns=_NAMES, records=[_row(adjustment) for adjustment in new]
        )


async def settle(transaction: Transaction, decided: Sequence[Adjustment]) -> None:
    """Write what became of adjustments that are locked."""
    await transaction.raw.execute(
        _SETTLE,
        transaction.now,
        [each.adjustment_id for each in decided],
        [each.state for each in decided],
        [each.refusal for each in decided],
        [each.posted_points for each in decided],
        [each.decided_by for each in decided],
    )


async def load_page(
    transaction: Transaction, wanted: AdjustmentFilter, after: tuple[datetime, UUID] | None, rows_max: int
) -> list[Adjustment]:
    """Adjustments, the newest first. A survivor's are also those of who was merged into it."""
    created_at, adjustment_id = after if after is not None else (None, None)
    rows = await transaction.raw.fetch(
        _LIST,
        wanted.state,
        wanted.member_id,
        wanted.reason_code,
        wanted.author,
        wanted.file_id,
        created_at,
        adjustment_id,
        rows_max,
    )
    return [adjustment_of(row) for row in rows]


async def load_of_member(transaction: Transaction, member_id: UUID, after_id: UUID, rows_max: int) -> list[Adjustment]:
    """A member's, by id, as an export tells them. The member's id is taken as it stands."""
    return [adjustment_of(row) for row in await transaction.raw.fetch(_LIST_OF_MEMBER, member_id, after_id, rows_max)]


async def forget_notes(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Take away what people wrote about adjustments of these members."""
    await transaction.raw.execute(FORGET_NOTES, list(member_ids))


def adjustment_of(row: asyncpg.Record) -> Adjustment:
    """From a row of ``adjustments``."""
    return Adjustment(**dict(row))


def _row(adjustment: Adjustment) -> tuple[Any, ...]:
    return tuple(getattr(adjustment, name) for name in _NAMES)
