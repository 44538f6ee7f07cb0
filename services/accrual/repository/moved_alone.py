"""What people moved without a second one, by day: of members among their counters, of authors in rows of their own.

An author's row is locked after members and before the ledger, as budgets are.
"""

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from services.accrual.domain.counters import CountedAsk, CountedRow
from services.accrual.domain.earning_windows import Days
from services.accrual.domain.moved_alone import MovedToday
from services.accrual.repository import counted_days
from shared.database import Transaction

# Among a member's counters; no rule's, campaign's or rule set's is called so.
COUNTER = "moved_alone"

_LAY = "insert into author_days (author, day, points) values ($1, $2, 0) on conflict (author, day) do nothing"
_LOCK = "select points from author_days where author = $1 and day = $2 for no key update"
_ADD = "update author_days set points = points + $3 where author = $1 and day = $2"

# Members' lines of a file together with what was moved of them before, as last committed.
_FIND_ABOVE = """
    select asked.member_id
    from (select member_id, sum(abs(points)) as points from adjustments where file_id = $1 group by member_id) as asked
        left join counted_days
            on counted_days.member_id = asked.member_id and counted_days.name = $2 and counted_days.day = $3
    where asked.points + coalesce(counted_days.amount, 0) > $4
    limit 1
"""


async def load(transaction: Transaction, member_ids: Collection[UUID], day: date) -> dict[UUID, int]:
    """What was moved of members whose rows are locked; one of whom nothing was is absent."""
    asked = [CountedAsk(member_id, COUNTER, Days(day, day), day) for member_id in member_ids]
    found = await counted_days.load(transaction, asked) if asked else {}
    return {ask.member_id: counted.amount for ask, counted in found.items()}


async def lock(transaction: Transaction, author: str, member_ids: Collection[UUID], day: date) -> MovedToday[UUID]:
    """What was moved on this day; the author's row is locked to the commit, as the members' rows are by the caller."""
    await transaction.raw.execute(_LAY, author, day)
    by_author: int = await transaction.raw.fetchval(_LOCK, author, day)
    return MovedToday(by_author, await load(transaction, member_ids, day))


async def add_of_members(transaction: Transaction, points: Mapping[UUID, int], day: date) -> None:
    """Count what is moved of members whose rows are locked, without signs."""
    rows = [CountedRow(member_id, COUNTER, day, moved, 1) for member_id, moved in points.items() if moved]
    if rows:
        await counted_days.add(transaction, rows)


async def add_of_author(transaction: Transaction, author: str, points: int, day: date) -> None:
    """Count what an author moves whose row is locked."""
    await transaction.raw.execute(_ADD, author, day, points)


async def is_any_above(transaction: Transaction, file_id: UUID, points_max: int, day: date) -> bool:
    """Whether the lines of a file move more of any member than one person may on this day, as far as is committed."""
    return await transaction.raw.fetchval(_FIND_ABOVE, file_id, COUNTER, day, points_max) is not None
