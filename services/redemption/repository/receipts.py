"""The rows in which receipts meet what is asked of redemptions, and what their refusal undoes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.redemption.repository.recorded_exceptions import ExceptionRecord
from shared.database import Transaction

MEET_RECEIPTS = """
    insert into redemption_receipts (receipt_key, refused_hashes)
    select receipt_key, '{}'
    from unnest($1::bytea[]) as met (receipt_key)
    order by receipt_key
    on conflict (receipt_key) do nothing
"""

LOCK_RECEIPTS = """
    select receipt_key, refused_hashes
    from redemption_receipts
    where receipt_key = any($1::bytea[])
    order by receipt_key
    for no key update
"""

REFUSE = """
    update redemption_receipts as receipt
    set refused_hashes = receipt.refused_hashes || refused.hashes
    from (
        select receipt_key, array_agg(content_hash order by content_hash) as hashes
        from unnest($1::bytea[], $2::text[]) as refused (receipt_key, content_hash)
        group by receipt_key
    ) as refused
    where receipt.receipt_key = refused.receipt_key
"""

STOP_WAITING_FOR_REFUSED = """
    delete from redemption_waiting_tenders as waiting
    using unnest($1::bytea[], $2::text[]) as refused (receipt_key, content_hash)
    where waiting.receipt_key = refused.receipt_key and waiting.content_hash = refused.content_hash
"""

IS_WAITED_FOR = "select exists (select from redemption_waiting_tenders where redemption_id = $1)"

COUNT_OPEN = """
    select
        (select count(*) from redemption_waiting_tenders) as waiting,
        (select count(*) from redemption_exceptions where settled_at is null) as exceptions
"""

LOAD_CAPTURES_OF_REFUSED = """
    select capture.redemption_id, capture.receipt_key, capture.content_hash, capture.points, capture.uncovered_points,
        redemption.partner_id
    from redemption_captures as capture
        join unnest($1::bytea[], $2::text[]) as refused (receipt_key, content_hash)
            on capture.receipt_key = refused.receipt_key and capture.content_hash = refused.content_hash
        join redemptions as redemption on redemption.redemption_id = capture.redemption_id
    where capture.source = 'event' and (capture.refunded_points = 0 or capture.refunded_points < capture.points)
"""

SETTLE_EXCEPTIONS_OF_REFUSED = """
    update redemption_exceptions as exception
    set settled_at = $3, settled_by = 'receipt_refused'
    from unnest($1::bytea[], $2::text[]) as refused (receipt_key, content_hash)
    where exception.receipt_key = refused.receipt_key
        and exception.content_hash = refused.content_hash
        and exception.kind <> 'refused_receipt'
        and exception.settled_at is null
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One document of a receipt that earns nothing and pays nothing."""

    receipt_key: bytes
    content_hash: str


@dataclass(frozen=True, slots=True)
class OpenMatters:
    """How much waits: tenders for their member, exceptions for a person."""

    waiting: int
    exceptions: int


async def meet_receipts(transaction: Transaction, receipt_keys: Iterable[bytes]) -> dict[bytes, frozenset[str]]:
    """Lock the receipts' meeting rows, made where missing; gives the content hashes that were refused of each."""
    wanted = sorted(set(receipt_keys))
    await transaction.raw.execute(MEET_RECEIPTS, wanted)
    rows = await transaction.raw.fetch(LOCK_RECEIPTS, wanted)
    return {row["receipt_key"]: frozenset(row["refused_hashes"]) for row in rows}


async def save_refusals(transaction: Transaction, refusals: Sequence[Refusal]) -> None:
    """Remember refusals that are new, of receipts that this transaction has met, and drop what waited for them."""
    keys, hashes = [refusal.receipt_key for refusal in refusals], [refusal.content_hash for refusal in refusals]
    await transaction.raw.execute(REFUSE, keys, hashes)
    await transaction.raw.execute(STOP_WAITING_FOR_REFUSED, keys, hashes)
    await transaction.raw.execute(SETTLE_EXCEPTIONS_OF_REFUSED, keys, hashes, transaction.now)


async def load_captures_of_refused(transaction: Transaction, refusals: Sequence[Refusal]) -> list[ExceptionRecord]:
    """The captures that refused documents have made themselves, as the exceptions that they are."""
    keys, hashes = [refusal.receipt_key for refusal in refusals], [refusal.content_hash for refusal in refusals]
    return [
        ExceptionRecord(
            kind="refused_receipt",
            redemption_id=row["redemption_id"],
            receipt_key=row["receipt_key"],
            content_hash=row["content_hash"],
            partner_id=row["partner_id"],
            asked_points=row["points"] + row["uncovered_points"],
            captured_points=row["points"],
        )
        for row in await transaction.raw.fetch(LOAD_CAPTURES_OF_REFUSED, keys, hashes)
    ]


async def is_waited_for(transaction: Transaction, redemption_id: UUID) -> bool:
    """Whether a receipt waits that was paid with this redemption."""
    return bool(await transaction.raw.fetchval(IS_WAITED_FOR, redemption_id))


async def count_open_matters(transaction: Transaction) -> OpenMatters:
    """What waits, for the gauges."""
    row = await transaction.raw.fetchrow(COUNT_OPEN)
    if row is None:
        raise AssertionError("unreachable: a select without from always gives a row")
    return OpenMatters(waiting=row["waiting"], exceptions=row["exceptions"])
