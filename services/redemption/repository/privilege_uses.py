"""Uses of privileges and goods that came back. Whoever writes has locked the receipts in ``redemption_receipts``."""

from collections.abc import Collection, Mapping, Sequence

import asyncpg

from services.redemption.domain.privileges.usage import GoodsBack, KeptUse, Use, UsedLine
from shared.database import Transaction

_COLUMNS = """
    receipt_key, privilege_id, content_hash, partner_id, store_id, member_id, session_id, occurred_at, currency,
    line_ids, line_amounts_minor, line_quantities, counted_on, objection, undone_minor, is_undone, version
"""
_LOAD = f"""
    select {_COLUMNS} from redemption_privilege_uses
    where receipt_key = any($1::bytea[])
    order by receipt_key, privilege_id
"""
_SAVE = f"""
    insert into redemption_privilege_uses ({_COLUMNS})
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    on conflict (receipt_key, privilege_id) do update
        set content_hash = excluded.content_hash, partner_id = excluded.partner_id, store_id = excluded.store_id,
            member_id = excluded.member_id, session_id = excluded.session_id, occurred_at = excluded.occurred_at,
            currency = excluded.currency, line_ids = excluded.line_ids,
            line_amounts_minor = excluded.line_amounts_minor, line_quantities = excluded.line_quantities,
            counted_on = excluded.counted_on, objection = excluded.objection, undone_minor = excluded.undone_minor,
            is_undone = excluded.is_undone, version = excluded.version
"""

# A receipt's uses depend on its returns, and on voids of it, of its returns, and on refusals of these documents.
_FIND_CONCERNED = """
    select original_key from redemption_goods_back where return_key = any($1::bytea[])
    union
    select receipt_key from redemption_voids where void_key = any($1::bytea[])
"""
_KEEP_BACK = """
    insert into redemption_goods_back (return_key, content_hash, original_key, line_ids, line_quantities, read_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (return_key, content_hash) do nothing
"""
_LOAD_BACK = """
    select back.return_key, back.content_hash, back.original_key, back.line_ids, back.line_quantities,
        back.content_hash = any(coalesce(own.refused_hashes, '{}')) as is_refused
    from redemption_goods_back as back
        left join redemption_receipts as own on own.receipt_key = back.return_key
    where back.original_key = any($1::bytea[])
    order by back.return_key, back.content_hash
"""


async def find_concerned(transaction: Transaction, keys: Collection[bytes]) -> set[bytes]:
    """These receipts' keys, with those of all whose uses may stand otherwise after what these documents say."""
    found, new = set(keys), set(keys)
    while new:
        rows = await transaction.raw.fetch(_FIND_CONCERNED, sorted(new))
        new = {row[0] for row in rows} - found
        found |= new
    return found


async def load_uses(transaction: Transaction, receipt_keys: Collection[bytes]) -> list[KeptUse]:
    """The uses that these receipts made, by their keys and privileges."""
    return [_kept(row) for row in await transaction.raw.fetch(_LOAD, sorted(receipt_keys))]


async def save_uses(transaction: Transaction, uses: Sequence[KeptUse]) -> None:
    """Write uses as they stand now."""
    rows = [_row(kept) for kept in sorted(uses, key=lambda kept: (kept.use.receipt_key, kept.use.privilege_id))]
    await transaction.raw.executemany(_SAVE, rows)


async def keep_goods_back(transaction: Transaction, returns: Sequence[GoodsBack]) -> None:
    """Keep what came back; a document that was read before stays as it is."""
    rows = [
        (
            one.return_key,
            one.content_hash,
            one.original_key,
            [*one.quantities],
            [*one.quantities.values()],
            transaction.now,
        )
        for one in sorted(returns, key=lambda one: (one.return_key, one.content_hash))
    ]
    await transaction.raw.executemany(_KEEP_BACK, rows)


async def load_goods_back(transaction: Transaction, original_keys: Collection[bytes]) -> dict[bytes, list[GoodsBack]]:
    """What came back of these receipts, by documents that were not refused: of several under one key the first."""
    found: dict[bytes, dict[bytes, GoodsBack]] = {key: {} for key in original_keys}
    for row in await transaction.raw.fetch(_LOAD_BACK, sorted(original_keys)):
        if not row["is_refused"]:
            quantities: Mapping[int, int] = dict(zip(row["line_ids"], row["line_quantities"], strict=True))
            back = GoodsBack(row["return_key"], row["content_hash"], row["original_key"], quantities)
            found[back.original_key].setdefault(back.return_key, back)
    return {key: list(returns.values()) for key, returns in found.items()}


def _row(kept: KeptUse) -> tuple[object, ...]:
    use = kept.use
    return (
        use.receipt_key,
        use.privilege_id,
        use.content_hash,
        use.partner_id,
        use.store_id,
        use.member_id,
        use.session_id,
        use.occurred_at,
        use.currency,
        [line.line_id for line in use.lines],
        [line.amount_minor for line in use.lines],
        [line.quantity_thousandths for line in use.lines],
        kept.counted_on,
        kept.objection,
        kept.undone_minor,
        kept.is_undone,
        kept.version,
    )


def _kept(row: asyncpg.Record) -> KeptUse:
    lines = zip(row["line_ids"], row["line_amounts_minor"], row["line_quantities"], strict=True)
    use = Use(
        receipt_key=row["receipt_key"],
        privilege_id=row["privilege_id"],
        content_hash=row["content_hash"],
        partner_id=row["partner_id"],
        store_id=row["store_id"],
        member_id=row["member_id"],
        session_id=row["session_id"],
        occurred_at=row["occurred_at"],
        currency=row["currency"],
        lines=tuple(UsedLine(*line) for line in lines),
    )
    return KeptUse(use, row["counted_on"], row["objection"], row["undone_minor"], row["is_undone"], row["version"])
