"""What is to be looked at of a day: receipts whose hold did not cover them, and contradictions. Nothing here locks."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.database import Transaction

# A capture has no id of its own: its key makes one, the same each time.
_FIND = """
    select found.*, redemption.member_id, redemption.point_type
    from (
            select captured_at as at, md5(receipt_key || uuid_send(redemption_id))::uuid as exception_id,
                case when taken.uncovered_points + debt_points > 0 then 'uncovered' else 'late' end as kind,
                late_because as reason,
                redemption_id, receipt_key, payer.partner_id, points + taken.uncovered_points as asked_points,
                points - debt_points as captured_points, late_points, taken.uncovered_points, debt_points,
                null::timestamptz as settled_at, null as settled_by
            from redemption_captures as taken
                join redemptions as payer using (redemption_id)
            where captured_at >= $1 and captured_at < $2
                and (late_points > 0 or taken.uncovered_points > 0 or debt_points > 0)
            union all
            select recorded_at, exception_id, kind, null, redemption_id, receipt_key, partner_id, asked_points,
                captured_points, 0, 0, 0, settled_at, settled_by
            from redemption_exceptions
            where recorded_at >= $1 and recorded_at < $2
        ) as found
        left join redemptions as redemption using (redemption_id)
    where ($3::text is null or found.partner_id = $3) and ($4::timestamptz is null or (at, exception_id) > ($4, $5))
    order by at, exception_id
    limit $6
"""


class TenderException(NamedTuple):
    """One of a day's. ``late`` and ``uncovered`` are captures that their hold did not cover, ``reason`` says why not;
    other kinds are contradictions that stand until somebody settles them. ``partner_id`` is the receipt's.
    """

    at: datetime
    exception_id: UUID
    kind: str
    reason: str | None
    redemption_id: UUID
    receipt_key: bytes
    partner_id: str
    asked_points: int
    captured_points: int
    late_points: int
    uncovered_points: int
    debt_points: int
    settled_at: datetime | None
    settled_by: str | None
    member_id: UUID | None
    point_type: str | None


async def find(
    transaction: Transaction,
    since: datetime,
    before: datetime,
    partner_id: str | None,
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> list[TenderException]:
    """Those from ``since`` on and before ``before``, oldest first, after a position; of one partner, or of all."""
    at, exception_id = after or (None, None)
    rows = await transaction.raw.fetch(_FIND, since, before, partner_id, at, exception_id, rows_max)
    return [TenderException(*row.values()) for row in rows]
