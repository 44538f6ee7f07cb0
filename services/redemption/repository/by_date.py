"""Which of a member's points lapse when, and which can be spent from when, read from the ledger. Nothing here locks."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from services.redemption.domain.by_date import Dated, by_date
from services.redemption.repository.statement import ONE_OWNER
from shared.database import Transaction
from shared.ledger.balances import bound_of

# Lots that sum up to what is available and to what is pending, as the balances say them: what may no longer be spent
# today is left out, what is pending never is. A pending lot of today or before waits for something else than a day.
# Lateral with a limit is a look-up by index whatever the planner believes; there are no more lots than that.
LOAD_DATED = f"""
    select account.point_type, lot.is_pending, lot.day, sum(lot.remaining)::bigint as points
    from {ONE_OWNER}
        join ledger_accounts as account using (owner_id)
        cross join lateral (
            select award is not null as is_pending, remaining,
                case
                    when award is null then expires_on
                    when available_from > coalesce($3::date, '-infinity') then available_from
                end as day
            from ledger_lots
            where ledger_lots.account_id = account.account_id and remaining > 0
                and (award is not null or lot_key >= $2)
            limit 1000000
        ) as lot
    group by account.point_type, lot.is_pending, lot.day
"""


async def load_dated(transaction: Transaction, member_id: UUID) -> dict[str, Dated]:
    """A member's available and pending points by their days, as last committed, by point type; a type of which there
    are none is absent. Whoever was merged away has what the survivor has.
    """
    rows = await transaction.raw.fetch(LOAD_DATED, member_id, bound_of(transaction), transaction.today)
    available: defaultdict[str, dict[date | None, int]] = defaultdict(dict)
    pending: defaultdict[str, dict[date | None, int]] = defaultdict(dict)
    for point_type, is_pending, day, points in rows:
        (pending if is_pending else available)[point_type][day] = points
    return {code: Dated(by_date(available[code]), by_date(pending[code])) for code in {*available, *pending}}
