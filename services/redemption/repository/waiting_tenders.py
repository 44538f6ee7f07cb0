"""Points tenders of receipts whose member is not known yet: they wait until it is."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from services.redemption.domain.goods import Goods
from services.redemption.domain.tender import PointsTender
from shared.database import Transaction

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

NAME_MEMBERS = """
    update redemption_waiting_tenders as waiting
    set member_id = named.member_id, identifier_hash = null
    from unnest($1::text[], $2::uuid[]) as named (identifier_hash, member_id)
    where waiting.identifier_hash = named.identifier_hash
"""

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


async def keep(transaction: Transaction, tenders: Sequence[PointsTender]) -> None:
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


async def drop(transaction: Transaction, tenders: Sequence[PointsTender]) -> None:
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


async def load_ready(transaction: Transaction, rows_max: int) -> list[PointsTender]:
    """Waiting tenders whose member is known by now, in key order."""
    return [_ready(row) for row in await transaction.raw.fetch(LOAD_READY, rows_max)]


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
