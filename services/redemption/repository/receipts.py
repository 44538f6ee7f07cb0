"""What receipts say about redemptions: refusals, tenders that wait, and what a person must look at."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import asyncpg

from services.redemption.domain.goods import Goods
from services.redemption.domain.tender import PointsTender
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

KEEP_WAITING = """
    insert into redemption_waiting_tenders (
        receipt_key, redemption_id, content_hash, partner_id, identifier_hash, points, traceparent, occurred_at,
        store_id, categories, amount_minor, point_type, waiting_since
    )
    select receipt_key, redemption_id, content_hash, partner_id, identifier_hash, points, traceparent, occurred_at,
        store_id, array(select json_array_elements_text(categories)), amount_minor, point_type, $13
    from unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
        $8::timestamptz[], $9::text[], $10::json[], $11::bigint[], $12::text[]) as waiting
            (receipt_key, redemption_id, content_hash, partner_id, identifier_hash, points, traceparent, occurred_at,
            store_id, categories, amount_minor, point_type)
    order by 1, 2, 3
    on conflict (receipt_key, redemption_id, content_hash) do nothing
"""

STOP_WAITING = """
    delete from redemption_waiting_tenders as waiting
    using unnest($1::bytea[], $2::uuid[], $3::text[]) as done (receipt_key, redemption_id, content_hash)
    where waiting.receipt_key = done.receipt_key
        and waiting.redemption_id = done.redemption_id
        and waiting.content_hash = done.content_hash
"""

STOP_WAITING_FOR_REFUSED = """
    delete from redemption_waiting_tenders as waiting
    using unnest($1::bytea[], $2::text[]) as refused (receipt_key, content_hash)
    where waiting.receipt_key = refused.receipt_key and waiting.content_hash = refused.content_hash
"""

NAME_MEMBERS = """
    update redemption_waiting_tenders as waiting
    set member_id = named.member_id, identifier_hash = null
    from unnest($1::text[], $2::uuid[]) as named (identifier_hash, member_id)
    where waiting.identifier_hash = named.identifier_hash
"""

IS_WAITED_FOR = "select exists (select from redemption_waiting_tenders where redemption_id = $1)"

# No locks: whoever settles them locks in order and looks again.
LOAD_READY = """
    select waiting.receipt_key, waiting.redemption_id, waiting.content_hash, waiting.partner_id,
        waiting.identifier_hash, waiting.points, waiting.traceparent, waiting.occurred_at, waiting.store_id,
        waiting.categories, waiting.amount_minor, waiting.point_type,
        coalesce(redemption.member_id, waiting.member_id, identifier.member_id) as member_id
    from redemption_waiting_tenders as waiting
        left join redemptions as redemption on redemption.redemption_id = waiting.redemption_id
        left join redemption_identifiers as identifier on identifier.identifier_hash = waiting.identifier_hash
    where coalesce(redemption.member_id, waiting.member_id, identifier.member_id) is not null
    order by waiting.receipt_key, waiting.redemption_id, waiting.content_hash
    limit $1
"""

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
class ExceptionRecord:
    """Something that a person must look at: what was asked for, and what had been captured."""

    kind: ExceptionKind
    redemption_id: UUID
    receipt_key: bytes
    content_hash: str
    partner_id: str
    asked_points: int
    captured_points: int


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


async def keep_waiting(transaction: Transaction, tenders: Sequence[PointsTender]) -> None:
    """Keep tenders until their member is known. One that waits already waits on."""
    if not tenders:
        return
    await transaction.raw.execute(
        KEEP_WAITING,
        [tender.receipt_key for tender in tenders],
        [tender.redemption_id for tender in tenders],
        [tender.content_hash for tender in tenders],
        [tender.partner_id for tender in tenders],
        [tender.identifier_hash for tender in tenders],
        [tender.points for tender in tenders],
        [tender.traceparent for tender in tenders],
        [tender.goods.occurred_at if tender.goods else None for tender in tenders],
        [tender.goods.store_id if tender.goods else None for tender in tenders],
        [json.dumps(sorted(tender.goods.categories) if tender.goods else []) for tender in tenders],
        [tender.amount_minor for tender in tenders],
        [tender.point_type for tender in tenders],
        transaction.now,
    )


async def stop_waiting(transaction: Transaction, tenders: Sequence[PointsTender]) -> None:
    """Their fate is decided."""
    if not tenders:
        return
    await transaction.raw.execute(
        STOP_WAITING,
        [tender.receipt_key for tender in tenders],
        [tender.redemption_id for tender in tenders],
        [tender.content_hash for tender in tenders],
    )


async def name_members(transaction: Transaction, members: Mapping[str, UUID]) -> None:
    """Waiting tenders under these identifier hashes are these members', and carry the hash no more."""
    await transaction.raw.execute(NAME_MEMBERS, list(members), list(members.values()))


async def is_waited_for(transaction: Transaction, redemption_id: UUID) -> bool:
    """Whether a receipt waits that was paid with this redemption."""
    return bool(await transaction.raw.fetchval(IS_WAITED_FOR, redemption_id))


async def load_ready_tenders(transaction: Transaction, rows_max: int) -> list[PointsTender]:
    """Waiting tenders whose member is known by now, in key order."""
    return [_ready(row) for row in await transaction.raw.fetch(LOAD_READY, rows_max)]


async def count_open_matters(transaction: Transaction) -> OpenMatters:
    """What waits, for the gauges."""
    row = await transaction.raw.fetchrow(COUNT_OPEN)
    if row is None:
        raise AssertionError("unreachable: a select without from always gives a row")
    return OpenMatters(waiting=row["waiting"], exceptions=row["exceptions"])


async def record_exceptions(transaction: Transaction, records: Sequence[ExceptionRecord]) -> list[ExceptionKind]:
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


def _ready(row: asyncpg.Record) -> PointsTender:
    return PointsTender(
        receipt_key=row["receipt_key"],
        content_hash=row["content_hash"],
        redemption_id=row["redemption_id"],
        partner_id=row["partner_id"],
        member_id=row["member_id"],
        identifier_hash=row["identifier_hash"],
        points=row["points"],
        is_priced=True,  # one that is not priced never waits
        traceparent=row["traceparent"],
        goods=None
        if row["occurred_at"] is None
        else Goods(row["occurred_at"], row["store_id"], frozenset(row["categories"])),
        amount_minor=row["amount_minor"],
        point_type=row["point_type"],
    )
