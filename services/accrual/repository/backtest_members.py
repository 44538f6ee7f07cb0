"""Members whom the reports of backtests name: beside the reports, so that whoever is erased is in none of them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from shared.database import Transaction

# The members are locked: whoever is erased meanwhile was seen here, or finds these rows.
_SAVE = """
    insert into backtest_members (backtest_id, member_id, net_points_difference)
    select $1, named.member_id, named.points
    from unnest($2::uuid[], $3::bigint[]) as named (member_id, points)
        join members on members.member_id = named.member_id and erased_version is null
"""
_LOAD = """
    select member_id, net_points_difference from backtest_members where backtest_id = $1
    order by abs(net_points_difference) desc, member_id desc
"""
FORGET_NAMED = "delete from backtest_members where member_id = any($1::uuid[])"


async def save(transaction: Transaction, backtest_id: UUID, named: Sequence[tuple[UUID, int]]) -> None:
    """Keep whom a report names, each with by how much points would change; not those who were erased."""
    await transaction.raw.execute(
        _SAVE, backtest_id, [member_id for member_id, _ in named], [points for _, points in named]
    )


async def load(transaction: Transaction, backtest_id: UUID) -> list[tuple[UUID, int]]:
    """The same, those of whom most would change first."""
    return [(row["member_id"], row["net_points_difference"]) for row in await transaction.raw.fetch(_LOAD, backtest_id)]


async def forget(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Take erased members, whose rows are locked, out of all reports."""
    await transaction.raw.execute(FORGET_NAMED, list(member_ids))
