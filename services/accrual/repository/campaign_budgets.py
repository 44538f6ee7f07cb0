"""What campaigns have given of their budgets. Rows are locked after members and before the ledger, in key order."""

from collections.abc import Collection, Iterable, Mapping

import asyncpg

from services.accrual.domain.earning_facts import Used
from shared.database import Transaction

_READ = "select campaign_id, points_used, receipts_used from campaign_budgets where campaign_id = any($1::text[])"

# A campaign's row is laid by whoever takes from it first.
_LAY = """
    insert into campaign_budgets (campaign_id, points_used, receipts_used)
    select campaign_id, 0, 0 from unnest($1::text[]) as named (campaign_id) order by campaign_id
    on conflict (campaign_id) do nothing
"""

_LOCK = f"{_READ} order by campaign_id for no key update"

_TAKE = """
    update campaign_budgets
    set points_used = greatest(0, points_used + taken.points),
        receipts_used = greatest(0, receipts_used + taken.receipts)
    from unnest($1::text[], $2::bigint[], $3::bigint[]) as taken (campaign_id, points, receipts)
    where campaign_budgets.campaign_id = taken.campaign_id
"""


async def read(transaction: Transaction, campaign_ids: Collection[str]) -> dict[str, Used]:
    """What was given so far, by whoever has committed. A campaign that has given nothing is absent."""
    return _by_id(await transaction.raw.fetch(_READ, list(campaign_ids)))


async def lock(transaction: Transaction, campaign_ids: Collection[str]) -> dict[str, Used]:
    """The same, locked to the commit: whatever is taken now is what was granted."""
    await transaction.raw.execute(_LAY, list(campaign_ids))
    return _by_id(await transaction.raw.fetch(_LOCK, list(campaign_ids)))


async def take(transaction: Transaction, taken: Mapping[str, Used]) -> None:
    """Count what is given (below zero: given back) of budgets that this transaction has locked."""
    await transaction.raw.execute(
        _TAKE, list(taken), [one.points for one in taken.values()], [one.receipts for one in taken.values()]
    )


def _by_id(rows: Iterable[asyncpg.Record]) -> dict[str, Used]:
    return {row["campaign_id"]: Used(row["points_used"], row["receipts_used"]) for row in rows}
