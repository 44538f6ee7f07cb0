"""What receipts that were paid with points sold, as their documents say it. Whoever adds one has locked the receipt."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from services.redemption.domain.sold_goods import Payment, SoldGoods, SoldLine
from services.redemption.domain.tender import PaidPart
from shared.database import Transaction

_LINES, _PAYMENTS = TypeAdapter(tuple[SoldLine, ...]), TypeAdapter(tuple[Payment, ...])

# Goods may have come back before it was known what they cost in points: whoever settles returns looks again.
_KEEP = """
    with kept as (
        insert into redemption_sold_goods (
            receipt_key, document_key, content_hash, occurred_at, lines, payments, read_at
        )
        select *, $7
        from unnest($1::bytea[], $2::bytea[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
        order by 1, 2, 3
        on conflict (receipt_key, document_key, content_hash) do nothing
        returning receipt_key
    )
    update redemption_returns as goods set due = due + 1
    from (select distinct receipt_key from kept) as known
    where goods.receipt_key = known.receipt_key and goods.state <> 'refused'
    returning goods.receipt_key
"""

# A document that was refused says nothing.
_LOAD = """
    select goods.receipt_key, goods.document_key, goods.content_hash, goods.occurred_at, goods.lines, goods.payments
    from redemption_sold_goods as goods
        left join redemption_receipts as own on own.receipt_key = goods.document_key
    where goods.receipt_key = any($1::bytea[])
        and not coalesce(goods.content_hash = any(own.refused_hashes), false)
    order by goods.receipt_key, goods.read_at, goods.document_key, goods.content_hash
"""

_FIND_TAKEN = """
    select redemption_id, receipt_key, points + uncovered_points as asked_points
    from redemption_captures
    where redemption_id = any($1::uuid[])
"""


async def keep(transaction: Transaction, sold: Sequence[SoldGoods]) -> set[bytes]:
    """Keep what documents say, once; gives the receipts of which goods came back before it was known."""
    rows = await transaction.raw.fetch(
        _KEEP,
        [goods.receipt_key for goods in sold],
        [goods.document_key for goods in sold],
        [goods.content_hash for goods in sold],
        [goods.occurred_at for goods in sold],
        [_LINES.dump_json(goods.lines).decode() for goods in sold],
        [_PAYMENTS.dump_json(goods.payments).decode() for goods in sold],
        transaction.now,
    )
    return {row["receipt_key"] for row in rows}


async def load(transaction: Transaction, receipt_keys: Collection[bytes]) -> dict[bytes, SoldGoods]:
    """What these receipts sold, as far as it was read: by the first document, and by what corrected it since."""
    said: dict[bytes, list[SoldGoods]] = {}
    for row in await transaction.raw.fetch(_LOAD, list(receipt_keys)):
        said.setdefault(row["receipt_key"], []).append(_goods_of(row))
    first = {key: next((one for one in all_ if not one.is_correction), None) for key, all_ in said.items()}
    return {key: goods.stands(said[key]) for key, goods in first.items() if goods is not None}


async def load_parts(transaction: Transaction, redemption_ids: Collection[UUID]) -> dict[UUID, list[PaidPart]]:
    """What receipts have taken of these redemptions, which are locked, and what they paid with it as far as it was
    read."""
    taken = await transaction.raw.fetch(_FIND_TAKEN, list(redemption_ids))
    goods = await load(transaction, {row["receipt_key"] for row in taken})
    parts: dict[UUID, list[PaidPart]] = {}
    for redemption_id, receipt_key, points in taken:
        payments = goods[receipt_key].payments if receipt_key in goods else ()
        amount_minor = next((one.amount_minor for one in payments if one.redemption_id == redemption_id), None)
        parts.setdefault(redemption_id, []).append(PaidPart(points, amount_minor))
    return parts


def _goods_of(row: asyncpg.Record) -> SoldGoods:
    return SoldGoods(
        receipt_key=row["receipt_key"],
        document_key=row["document_key"],
        content_hash=row["content_hash"],
        occurred_at=row["occurred_at"],
        lines=_LINES.validate_json(row["lines"]),
        payments=_PAYMENTS.validate_json(row["payments"]),
    )
