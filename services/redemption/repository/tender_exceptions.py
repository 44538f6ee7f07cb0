"""What is to be looked at of a day: receipts whose hold did not cover them, and contradictions. Nothing here locks."""

from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from shared.database import Transaction

# A capture has no id of its own: its key makes one, the same each time.
_ID = "md5(receipt_key || uuid_send(redemption_id))::uuid"
_NOT_COVERED = "(late_points > 0 or taken.uncovered_points > 0 or debt_points > 0)"

_CAPTURED = f"""
    select captured_at as at, {_ID} as exception_id,
        case when taken.uncovered_points + debt_points > 0 then 'uncovered' else 'late' end as kind,
        late_because as reason,
        redemption_id, receipt_key, payer.partner_id, points + taken.uncovered_points as asked_points,
        points - debt_points as captured_points, late_points, taken.uncovered_points, debt_points,
        null::timestamptz as settled_at, null as settled_by
    from redemption_captures as taken
        join redemptions as payer using (redemption_id)
    where {_NOT_COVERED}
"""
_RECORDED = """
    select recorded_at, exception_id, kind, null, redemption_id, receipt_key, partner_id, asked_points,
        captured_points, 0, 0, 0, settled_at, settled_by
    from redemption_exceptions
"""
# What settled itself is in the exception's own row, what a person decided in a row of its own.
_WITH_SETTLEMENT = """
    select found.at, exception_id, found.kind, found.reason, redemption_id, found.receipt_key, found.partner_id,
        found.asked_points, found.captured_points, found.late_points, found.uncovered_points, found.debt_points,
        coalesce(found.settled_at, settlement.settled_at) as settled_at,
        coalesce(found.settled_by, case when settlement.settled_at is not null then 'person' end) as settled_by,
        redemption.member_id, redemption.point_type, settlement.reason_code, settlement.settled_by as author
"""
_JOINED = """
        left join redemption_exception_settlements as settlement using (exception_id)
        left join redemptions as redemption using (redemption_id)
"""

_FIND = f"""
    {_WITH_SETTLEMENT}
    from (
            {_CAPTURED} and captured_at >= $1 and captured_at < $2
            union all
            {_RECORDED} where recorded_at >= $1 and recorded_at < $2
        ) as found
        {_JOINED}
    where ($3::text is null or found.partner_id = $3) and ($4::timestamptz is null or (at, exception_id) > ($4, $5))
        and ($7::boolean is null or (coalesce(found.settled_at, settlement.settled_at) is not null) = $7)
    order by at, exception_id
    limit $6
"""

_FIND_ONE = f"""
    {_WITH_SETTLEMENT}
    from (
            {_CAPTURED} and {_ID} = $1
            union all
            {_RECORDED} where exception_id = $1
        ) as found
        {_JOINED}
"""

_KEEP_SETTLEMENT = """
    insert into redemption_exception_settlements (exception_id, reason_code, settled_by, settled_at)
    values ($1, $2, $3, $4)
    on conflict (exception_id) do nothing
    returning exception_id
"""
_SETTLE_RECORDED = """
    update redemption_exceptions set settled_at = $2, settled_by = 'person'
    where exception_id = $1 and settled_at is null
    returning exception_id
"""

ExceptionState: TypeAlias = Literal["open", "settled"]


class TenderException(NamedTuple):
    """One of a day's. ``late`` and ``uncovered`` are captures that their hold did not cover, ``reason`` says why not;
    other kinds are contradictions that stand until somebody settles them. ``partner_id`` is the receipt's. Where
    ``settled_by`` is ``person``, ``author`` is who decided it, and ``settled_because`` why.
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
    settled_because: str | None
    author: str | None

    @property
    def is_of_capture(self) -> bool:
        """Whether it follows from a capture, and has no row of its own."""
        return self.kind in ("late", "uncovered")


async def find(
    transaction: Transaction,
    since: datetime,
    before: datetime,
    partner_id: str | None,
    state: ExceptionState | None,
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> list[TenderException]:
    """Those from ``since`` on and before ``before``, oldest first, after a position; of one partner, or of all; in one
    state, or in either."""
    at, exception_id = after or (None, None)
    is_settled = None if state is None else state == "settled"
    rows = await transaction.raw.fetch(_FIND, since, before, partner_id, at, exception_id, rows_max, is_settled)
    return [TenderException(*row.values()) for row in rows]


async def find_one(transaction: Transaction, exception_id: UUID) -> TenderException | None:
    """The one with this id."""
    row = await transaction.raw.fetchrow(_FIND_ONE, exception_id)
    return None if row is None else TenderException(*row.values())


async def settle(transaction: Transaction, found: TenderException, reason_code: str, author: str) -> bool:
    """Keep what a person decided; whether nobody had, and it had not settled itself, until now."""
    kept = await transaction.raw.fetchval(_KEEP_SETTLEMENT, found.exception_id, reason_code, author, transaction.now)
    if kept is None or found.is_of_capture:
        return kept is not None
    return await transaction.raw.fetchval(_SETTLE_RECORDED, found.exception_id, transaction.now) is not None
