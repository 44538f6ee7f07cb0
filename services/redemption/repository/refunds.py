"""What was given back of what receipts took. Whoever has locked the receipt and the redemption may add to it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from services.redemption.domain.giving_back import GiveBack
from services.redemption.repository.captures import CaptureKey
from services.redemption.repository.receipts import Refusal
from services.redemption.repository.recorded_exceptions import ExceptionRecord
from shared.database import Transaction

_FIND_NOT_GIVEN = """
    select redemption_id, receipt_key, captured_at
    from redemption_captures
    where receipt_key = any($1::bytea[]) and greatest(refunded_points, settled_points) + moved_points < points
    order by receipt_key, redemption_id
"""

# A void leaves nothing for a person to look at: all of it went back. What it gives is settled with it, beside what
# returns had paid out in money before; what a return settles says whoever settles it.
_SAVE = """
    with refunded as (
        insert into redemption_refunds (redemption_id, receipt_key, undone_by, content_hash, points, refunded_at)
        select redemption_id, receipt_key, undone_by, content_hash, points, $6
        from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::text[], $5::bigint[])
            as given (redemption_id, receipt_key, undone_by, content_hash, points)
        order by 1, 2
        returning redemption_id, receipt_key, undone_by, points
    ), settled as (
        update redemption_exceptions as exception
        set settled_at = $6, settled_by = 'given_back'
        from refunded
        where (exception.redemption_id, exception.receipt_key) = (refunded.redemption_id, refunded.receipt_key)
            and exception.settled_at is null
            and (exception.kind = 'unread_receipt' or refunded.undone_by = any($7::bytea[])
                and exception.kind in ('amount_mismatch', 'refused_receipt', 'voided_receipt', 'other_goods'))
    )
    update redemption_captures as capture
    set refunded_points = capture.refunded_points + given.points,
        settled_points = case
            when given.is_void then greatest(capture.refunded_points, capture.settled_points) + given.points
            else capture.settled_points
        end
    from (
        select redemption_id, receipt_key, sum(points) as points, bool_or(undone_by = any($7::bytea[])) as is_void
        from refunded group by redemption_id, receipt_key
    ) as given
    where (capture.redemption_id, capture.receipt_key) = (given.redemption_id, given.receipt_key)
"""

_LOAD_OF_RECEIPTS = """
    select refund.redemption_id, refund.receipt_key, refund.content_hash, redemption.partner_id, refund.points,
        capture.points - capture.refunded_points as left_points
    from redemption_captures as capture
        join redemption_refunds as refund using (redemption_id, receipt_key)
        join redemptions as redemption using (redemption_id)
    where capture.receipt_key = any($1::bytea[])
        and exists (select from redemption_voids where void_key = refund.undone_by)
    order by 2, 1, 3
"""

_LOAD_OF_REFUSED = """
    select exists (select from redemption_voids where void_key = refund.undone_by) as is_of_void, refund.redemption_id,
        refund.receipt_key, refund.content_hash, redemption.partner_id, refund.points,
        capture.points - capture.refunded_points as left_points
    from redemption_refunds as refund
        join unnest($1::bytea[], $2::text[]) as refused (undone_by, content_hash)
            on refund.undone_by = refused.undone_by and refund.content_hash = refused.content_hash
        join redemption_captures as capture using (redemption_id, receipt_key)
        join redemptions as redemption using (redemption_id)
    order by 3, 2, 4
"""


async def find_not_given(transaction: Transaction, receipt_keys: Collection[bytes]) -> dict[CaptureKey, datetime]:
    """What these receipts have captured and not given back yet, with the times at which they did."""
    rows = await transaction.raw.fetch(_FIND_NOT_GIVEN, list(receipt_keys))
    return {(row["redemption_id"], row["receipt_key"]): row["captured_at"] for row in rows}


async def save(transaction: Transaction, given: Sequence[GiveBack]) -> None:
    """Write what was given back, once for redemption, receipt and document: what HTTP took for a return may be read as
    a void, and gives back the rest. A void settles what a person was to look at."""
    await transaction.raw.execute(
        _SAVE,
        [one.redemption.redemption_id for one in given],
        [one.capture.receipt_key for one in given],
        [one.undoing.undone_by for one in given],
        [one.undoing.content_hash for one in given],
        [one.points for one in given],
        transaction.now,
        [one.undoing.undone_by for one in given if one.undoing.cause == "void"],
    )


async def load_of_receipts(transaction: Transaction, receipt_keys: Collection[bytes]) -> list[ExceptionRecord]:
    """What was given back for voids that meant other receipts than these, as the exceptions that it is."""
    rows = await transaction.raw.fetch(_LOAD_OF_RECEIPTS, list(receipt_keys))
    return [ExceptionRecord("void_of_other_total", *row.values()) for row in rows]


async def load_of_refused(transaction: Transaction, refusals: Sequence[Refusal]) -> list[ExceptionRecord]:
    """What was given back for voids and returns whose documents are refused, as the exceptions that it is."""
    keys, hashes = [refusal.receipt_key for refusal in refusals], [refusal.content_hash for refusal in refusals]
    rows = await transaction.raw.fetch(_LOAD_OF_REFUSED, keys, hashes)
    return [
        ExceptionRecord("refused_void" if is_of_void else "refused_return", *record)
        for is_of_void, *record in (row.values() for row in rows)
    ]
