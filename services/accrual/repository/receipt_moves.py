"""Moves of receipts as they were asked for, and the rows that one changes."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.accrual.domain.receipt_moves import MoveState, ReceiptMove
from services.accrual.repository import award_parts
from services.accrual.repository.award_parts import PartRow
from shared.database import Transaction

_NAMES = tuple(field.name for field in fields(ReceiptMove))
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join(f"${number}" for number in range(1, len(_NAMES) + 1))

_INSERT = f"insert into receipt_moves ({_COLUMNS}) values ({_VALUES})"
_FIND = f"select {_COLUMNS} from receipt_moves where move_id = $1"
_LOCK = f"{_FIND} for no key update"
_IS_WAITING = "select exists (select from receipt_moves where natural_key = $1 and state = 'waiting' and move_id <> $2)"

_COUNT_MADE = "select count(*) from receipt_moves where natural_key = $1 and state = 'moved'"

_SETTLE = """
    update receipt_moves
    set state = $2, refusal = $3, taken_points = $4, became_debt = $5, given_points = $6, decided_by = $7,
        decided_at = $8
    where move_id = $1
"""

# Under either id of who was merged, or both.
_LIST = f"""
    with asked as (
        select $2::uuid as member_id
        union all
        select owner_id from ledger_aliases where survivor_id = $2
    )
    select {_COLUMNS} from receipt_moves
    where ($1::text is null or state = $1)
        and ($2::uuid is null or from_member_id in (select member_id from asked)
            or to_member_id in (select member_id from asked))
        and ($3::bytea is null or natural_key = $3)
        and ($4::timestamptz is null or (created_at, move_id) < ($4, $5))
    order by created_at desc, move_id desc
    limit $6
"""

_OF_MEMBER = f"""
    select {_COLUMNS} from receipt_moves
    where (from_member_id = $1 or to_member_id = $1) and move_id > $2
    order by move_id
    limit $3
"""

# The caller holds the claim, both members and the award.
_MOVE_AWARD = """
    update awards set owner_id = $2, points = $3, taken_back = $4, decision = $5, parts = $6, decided_at = $7
    where natural_key = $1
"""
_MOVE_CORRECTIONS = "update corrections set owner_id = $2 where original_key = $1"
_FORGET_PARTS = "delete from award_parts where natural_key = $1"
_MOVE_CLAIM = "update claims set owner_id = $2 where natural_key = $1"
_DO_RETURNS_WAIT = "select exists (select from parked where waits_for = $1)"


@dataclass(frozen=True, slots=True)
class MoveFilter:
    """Which moves are asked for; None: whatever they are."""

    state: MoveState | None = None
    member_id: UUID | None = None
    natural_key: bytes | None = None


class NewOwner(NamedTuple):
    """What becomes of an award: whose it is, what it gives, as ``AwardRow`` has it, and its parts if it has several."""

    natural_key: bytes
    owner_id: UUID
    points: int
    taken_back: int
    decision: bytes
    parts: Sequence[PartRow]


async def insert(transaction: Transaction, move: ReceiptMove) -> None:
    """Keep a move; a second one that waits of one receipt is impossible (unique index)."""
    await transaction.raw.execute(_INSERT, *(getattr(move, name) for name in _NAMES))


async def find(transaction: Transaction, move_id: UUID) -> ReceiptMove | None:
    """A move as it stands."""
    return _move(await transaction.raw.fetchrow(_FIND, move_id))


async def lock(transaction: Transaction, move_id: UUID) -> ReceiptMove | None:
    """The same, locked to the commit."""
    return _move(await transaction.raw.fetchrow(_LOCK, move_id))


async def does_another_wait(transaction: Transaction, move: ReceiptMove) -> bool:
    """Whether another move of the same receipt waits for a second person. The caller holds the claim."""
    return bool(await transaction.raw.fetchval(_IS_WAITING, move.natural_key, move.move_id))


async def count_made(transaction: Transaction, natural_key: bytes) -> int:
    """How often the receipt was moved. The caller holds the claim."""
    return int(await transaction.raw.fetchval(_COUNT_MADE, natural_key))


async def settle(transaction: Transaction, move: ReceiptMove) -> None:
    """Write what became of a move that is locked."""
    await transaction.raw.execute(
        _SETTLE,
        move.move_id,
        move.state,
        move.refusal,
        move.taken_points,
        move.became_debt,
        move.given_points,
        move.decided_by,
        move.decided_at,
    )


async def load_page(
    transaction: Transaction, wanted: MoveFilter, after: tuple[datetime, UUID] | None, rows_max: int
) -> list[ReceiptMove]:
    """Moves, the newest first. A survivor's are also those of who was merged into it."""
    created_at, move_id = after if after is not None else (None, None)
    rows = await transaction.raw.fetch(
        _LIST, wanted.state, wanted.member_id, wanted.natural_key, created_at, move_id, rows_max
    )
    return [ReceiptMove(**dict(row)) for row in rows]


async def load_of_member(transaction: Transaction, member_id: UUID, after: UUID, rows_max: int) -> list[ReceiptMove]:
    """Moves from a member and to it, by id. The member's id is taken as it stands."""
    return [ReceiptMove(**dict(row)) for row in await transaction.raw.fetch(_OF_MEMBER, member_id, after, rows_max)]


async def do_returns_wait(transaction: Transaction, waits_for: str) -> bool:
    """Whether a return still waits for the receipt (``parked.waits_for_receipt``). The caller holds the claim."""
    return bool(await transaction.raw.fetchval(_DO_RETURNS_WAIT, waits_for))


async def give_to(transaction: Transaction, new: NewOwner) -> None:
    """Make a claim and its award another member's, with what was decided anew."""
    await transaction.raw.execute(_MOVE_CLAIM, new.natural_key, new.owner_id)
    await transaction.raw.execute(
        _MOVE_AWARD,
        new.natural_key,
        new.owner_id,
        new.points,
        new.taken_back,
        new.decision,
        len(new.parts) or None,
        transaction.now,
    )
    await transaction.raw.execute(_MOVE_CORRECTIONS, new.natural_key, new.owner_id)
    await transaction.raw.execute(_FORGET_PARTS, new.natural_key)
    if new.parts:
        await award_parts.save(transaction, new.parts)


def _move(row: asyncpg.Record | None) -> ReceiptMove | None:
    return None if row is None else ReceiptMove(**dict(row))
