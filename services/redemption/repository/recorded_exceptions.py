"""What contradicts itself in receipts, recorded once for a person to look at (read in ``tender_exceptions``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.database import Transaction
from shared.ids import new_id

ExceptionKind = Literal[
    "amount_mismatch",
    "refused_receipt",
    "other_partner",
    "other_currency",
    "void_of_other_total",
    "refused_void",
    "other_goods",
    "overpaid_refund",
    "returned_more",
    "refused_return",
    "unread_receipt",
    "moved_on",
]

RECORD_EXCEPTIONS = """
    insert into redemption_exceptions (
        exception_id, kind, redemption_id, receipt_key, content_hash, partner_id, asked_points, captured_points,
        recorded_at
    )
    select *, $9
    from unnest(
        $1::uuid[], $2::text[], $3::uuid[], $4::bytea[], $5::text[], $6::text[], $7::bigint[], $8::bigint[]
    )
    order by 4, 3, 5, 2
    on conflict on constraint redemption_exceptions_once do nothing
    returning kind
"""


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """Something that a person must look at: what was asked for, and what had been captured."""

    kind: ExceptionKind
    redemption_id: UUID
    receipt_key: bytes
    content_hash: str
    partner_id: str
    asked_points: int
    captured_points: int


async def record(transaction: Transaction, records: Sequence[ExceptionRecord]) -> list[ExceptionKind]:
    """Write exceptions; gives the kinds of those that are new, so that a replay alerts nobody twice."""
    if not records:
        return []
    rows = await transaction.raw.fetch(
        RECORD_EXCEPTIONS,
        [new_id() for _ in records],
        [record.kind for record in records],
        [record.redemption_id for record in records],
        [record.receipt_key for record in records],
        [record.content_hash for record in records],
        [record.partner_id for record in records],
        [record.asked_points for record in records],
        [record.captured_points for record in records],
        transaction.now,
    )
    return [row["kind"] for row in rows]
