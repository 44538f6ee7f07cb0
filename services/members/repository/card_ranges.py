"""Statements on ranges of printed cards. A range is one row, however many cards it has."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.members.domain.card_ranges import CardRange, RangeState
from shared.database import Transaction

RANGES_SHOWN_MAX = 1_000

_COLUMNS = "range_id, batch, first_number, last_number, check_digit, links_before_issue, state"

# Ranges are declared a few times a year: one at a time, so that no two overlap.
LOCK_ALL = "select pg_advisory_xact_lock(hashtextextended(current_schema() || ' card ranges', 0))"

OVERLAPS = """
    select exists (
        select from card_ranges
        where number_length = length($1) and first_number <= $2 collate "C" and last_number >= $1 collate "C"
    )
"""

INSERT = """
    insert into card_ranges (
        range_id, batch, number_length, first_number, last_number, check_digit, links_before_issue, state,
        reason_code, changed_by, changed_at
    )
    values ($1, $2, length($3), $3, $4, $5, $6, $7, 'declared', $8, $9)
"""

LOCK = f"select {_COLUMNS} from card_ranges where range_id = $1 for no key update"

CHANGE = f"""
    update card_ranges set state = $2, reason_code = $3, changed_by = $4, changed_at = $5
    where range_id = $1
    returning {_COLUMNS}
"""

LOAD = f"select {_COLUMNS} from card_ranges order by number_length, first_number limit $1"

# Ranges do not overlap, so that only the last one which begins at or before a number can hold it: one step in the
# index for a card, whether its range has ten cards or a million.
FIND = f"""
    select claimed.number, {", ".join(f"found.{column}" for column in _COLUMNS.split(", "))}
    from unnest($1::text[]) as claimed (number)
        cross join lateral (
            select {_COLUMNS} from card_ranges
            where number_length = length(claimed.number) and first_number <= claimed.number collate "C"
            order by first_number desc
            limit 1
        ) as found
    where claimed.number collate "C" <= found.last_number
"""


async def insert_range(transaction: Transaction, card_range: CardRange, declared_by: str) -> bool:
    """Write a new range; False, and nothing is written, where it overlaps another one."""
    await transaction.raw.execute(LOCK_ALL)
    if await transaction.raw.fetchval(OVERLAPS, card_range.first_number, card_range.last_number):
        return False
    await transaction.raw.execute(
        INSERT,
        card_range.range_id,
        card_range.batch,
        card_range.first_number,
        card_range.last_number,
        card_range.check_digit,
        card_range.links_before_issue,
        card_range.state,
        declared_by,
        transaction.now,
    )
    return True


async def lock_range(transaction: Transaction, range_id: UUID) -> CardRange | None:
    """The range, locked to the commit."""
    row = await transaction.raw.fetchrow(LOCK, range_id)
    return None if row is None else _range(row)


async def change_range(
    transaction: Transaction, range_id: UUID, state: RangeState, reason_code: str, changed_by: str
) -> CardRange:
    """Put a locked range into a state."""
    row = await transaction.raw.fetchrow(CHANGE, range_id, state, reason_code, changed_by, transaction.now)
    if row is None:
        raise RuntimeError("a locked range is gone")
    return _range(row)


async def load_ranges(transaction: Transaction) -> list[CardRange]:
    """All ranges in the order of their numbers, at most ``RANGES_SHOWN_MAX``."""
    return [_range(row) for row in await transaction.raw.fetch(LOAD, RANGES_SHOWN_MAX)]


async def find_ranges(transaction: Transaction, numbers: Sequence[str]) -> dict[str, CardRange]:
    """The range of each card that lies in one, by its normal form."""
    return {row["number"]: _range(row) for row in await transaction.raw.fetch(FIND, numbers)}


def _range(row: asyncpg.Record) -> CardRange:
    return CardRange(
        range_id=row["range_id"],
        batch=row["batch"],
        first_number=row["first_number"],
        last_number=row["last_number"],
        check_digit=row["check_digit"],
        links_before_issue=row["links_before_issue"],
        state=row["state"],
    )
