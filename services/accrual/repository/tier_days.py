"""What members have collected towards a tier, by day."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.tiers.counting import Counted
from services.accrual.domain.tiers.periods import Window
from services.accrual.domain.tiers.qualification import Amounts, CountedDay
from shared.database import Transaction

# Sums within the statement: a row must not be touched twice by one upsert.
_ADD = """
    insert into tier_days (member_id, day, points, spend_minor, visits)
    select member_id, day, sum(points), sum(spend_minor), sum(visits)
    from unnest($1::uuid[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[])
        as counted (member_id, day, points, spend_minor, visits)
    group by member_id, day
    order by member_id, day
    on conflict (member_id, day) do update
    set points = tier_days.points + excluded.points, spend_minor = tier_days.spend_minor + excluded.spend_minor,
        visits = tier_days.visits + excluded.visits
"""

# A window that is folded stands under its first day: nobody asks for its days then, and a year's need not travel.
_LOAD = """
    select member_id, case when is_folded then first_day else day end as of_day, sum(points)::bigint as points,
        sum(spend_minor)::bigint as spend_minor, sum(least(visits, $5))::bigint as visits
    from unnest($1::uuid[], $2::date[], $3::date[], $4::boolean[]) as wanted (member_id, first_day, last_day, is_folded)
        join tier_days using (member_id)
    where day between first_day and last_day
    group by 1, 2
    order by 1, 2
"""


class Wanted(NamedTuple):
    """A member's days to read; folded into one where only their sum is asked for."""

    member_id: UUID
    window: Window
    is_folded: bool


async def add(transaction: Transaction, counted: Sequence[Counted]) -> None:
    """Count what was collected, and take off what was taken back."""
    await transaction.raw.execute(
        _ADD,
        [one.member_id for one in counted],
        [one.day for one in counted],
        [one.amounts.points for one in counted],
        [one.amounts.spend_minor for one in counted],
        [one.amounts.visits for one in counted],
    )


async def load(
    transaction: Transaction, wanted: Sequence[Wanted], visits_per_day_max: int | None
) -> Mapping[UUID, list[CountedDay]]:
    """What was collected on these days, in order, by member. Windows of one member do not overlap."""
    found: dict[UUID, list[CountedDay]] = {one.member_id: [] for one in wanted}
    rows = await transaction.raw.fetch(
        _LOAD,
        [one.member_id for one in wanted],
        [one.window.first for one in wanted],
        [one.window.last for one in wanted],
        [one.is_folded for one in wanted],
        visits_per_day_max,
    )
    for member_id, day, *amounts in rows:
        found[member_id].append(CountedDay(day, Amounts(*amounts)))
    return found
