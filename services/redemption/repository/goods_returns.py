"""Goods that came back, document by document. Whoever settles some has locked the receipt that they are of."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

import asyncpg
from pydantic import TypeAdapter

from services.redemption.domain.goods_return import OVER_HTTP, GoodsReturn, PaidOut
from services.redemption.domain.redemption import Capture
from services.redemption.repository.captures import CaptureKey
from services.redemption.repository.recorded_exceptions import ExceptionRecord
from shared.database import Transaction

_THOUSANDTHS, _SAID = TypeAdapter(tuple[tuple[int, int], ...]), TypeAdapter(tuple[PaidOut, ...])

_KEEP = """
    insert into redemption_returns (
        return_key, content_hash, receipt_key, thousandths, said, moves_on, traceparent, read_at, state, due
    )
    select *, $8, 'waiting', 1
    from unnest($1::bytea[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::boolean[], $7::text[])
    order by 1, 2
    on conflict (return_key, content_hash) do nothing
"""

_LOAD = """
    select goods.return_key, goods.content_hash, goods.receipt_key, goods.thousandths, goods.said, goods.moves_on,
        goods.traceparent, goods.state, goods.due,
        coalesce(goods.content_hash = any(own.refused_hashes), false) as is_refused
    from redemption_returns as goods
        left join redemption_receipts as own on own.receipt_key = goods.return_key
    where goods.receipt_key = any($1::bytea[]) and goods.state <> 'refused'
    order by goods.receipt_key, goods.read_at, goods.return_key, goods.content_hash
"""

# What somebody has marked again meanwhile stays due.
_SETTLE = """
    update redemption_returns as goods
    set state = settled.state, due = goods.due - settled.due
    from unnest($1::bytea[], $2::text[], $3::text[], $4::integer[]) as settled (return_key, content_hash, state, due)
    where goods.return_key = settled.return_key and goods.content_hash = settled.content_hash
"""

_SETTLE_CAPTURES = """
    update redemption_captures as capture
    set settled_points = settled.settled_points, moved_points = settled.moved_points
    from unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::bigint[])
        as settled (redemption_id, receipt_key, settled_points, moved_points)
    where (capture.redemption_id, capture.receipt_key) = (settled.redemption_id, settled.receipt_key)
"""

_FIND_DUE = (
    "select receipt_key from redemption_returns where due > 0 group by receipt_key order by receipt_key limit $1"
)

# A voided exchange has moved nothing on.
_LOOK_AGAIN_AT_EXCHANGES = """
    update redemption_returns set due = due + 1
    where return_key = any($1::bytea[]) and moves_on and state <> 'refused'
"""

# Nor is there anything for a person to look at of what it moved on, or said that it paid out.
_SETTLE_EXCEPTIONS_OF_EXCHANGES = """
    update redemption_exceptions as exception
    set settled_at = $2, settled_by = 'exchange_voided'
    from redemption_returns as exchange
    where exchange.return_key = any($1::bytea[]) and exchange.moves_on and exception.settled_at is null
        and (exception.kind = 'moved_on' and exception.receipt_key = exchange.return_key
            or exception.kind = 'overpaid_refund' and exception.receipt_key = exchange.receipt_key
                and exception.content_hash = exchange.content_hash)
"""

_FIND_TAKEN = """
    select redemption_id, receipt_key, captured_at
    from redemption_captures
    where receipt_key = any($1::bytea[])
    order by receipt_key, redemption_id
"""

_LOAD_GIVEN = """
    select redemption_id, receipt_key, undone_by, content_hash, points
    from redemption_refunds join unnest($1::uuid[], $2::bytea[]) as taken (redemption_id, receipt_key)
        using (redemption_id, receipt_key)
"""

# Goods of exchanges: what had paid for those that they were taken for has moved on to them.
_LOAD_MOVED_ON = """
    select capture.redemption_id, exchange.return_key, redemption.partner_id, capture.moved_points
    from redemption_returns as exchange
        join redemption_captures as capture using (receipt_key)
        join redemptions as redemption using (redemption_id)
    where exchange.return_key = any($1::bytea[]) and exchange.moves_on and exchange.state = 'counted'
        and capture.moved_points > 0
    order by 2, 1
"""

_IS_OF_ANOTHER = """
    select exists (select from redemption_voids where void_key = $1)
        or exists (select from redemption_returns where return_key = $1 and receipt_key <> $2)
        or exists (select from redemption_refunds where undone_by = $1 and receipt_key <> $2)
"""

# HTTP said that they are returns of other receipts, and points went back for that.
_LOAD_OF_OTHERS = """
    select refund.redemption_id, refund.undone_by, document.content_hash, redemption.partner_id, 0, refund.points
    from unnest($1::bytea[], $2::text[], $3::bytea[]) as document (return_key, content_hash, receipt_key)
        join redemption_refunds as refund on refund.undone_by = document.return_key
        join redemptions as redemption using (redemption_id)
    where refund.content_hash = '' and refund.receipt_key <> document.receipt_key
    order by 2, 1, 3
"""

_TELL_UNREAD = """
    with told as (
        update redemption_returns set state = 'told'
        where (return_key, content_hash) in (
            select return_key, content_hash from redemption_returns
            where state = 'unread' and read_at < $1
            order by read_at limit $2 for update skip locked
        )
        returning receipt_key, content_hash
    )
    select capture.redemption_id, told.receipt_key, told.content_hash, redemption.partner_id,
        capture.points - capture.refunded_points as asked_points, 0 as captured_points
    from told
        join redemption_captures as capture using (receipt_key)
        join redemptions as redemption using (redemption_id)
    where capture.points > capture.refunded_points  -- else it was voided, or all went back over HTTP: nothing is open
    order by 2, 1, 3
"""


# waiting: nobody knows what was sold; unread: nor has anybody, though it took points; told: a person was told of that.
State: TypeAlias = Literal["waiting", "unread", "told", "counted", "refused"]


class KeptReturn(NamedTuple):
    """A return, how often somebody has asked to look at it since, and whether its document was refused."""

    document: GoodsReturn
    due: int
    is_refused: bool


class Given(NamedTuple):
    """What went back of a capture, by document's key; of these, those for which HTTP said it."""

    by_document: dict[bytes, int]
    over_http: dict[bytes, int]


NOTHING_GIVEN = Given({}, {})


async def keep(transaction: Transaction, returns: Sequence[GoodsReturn]) -> None:
    """Keep returns; one that was read before stays as it is."""
    await transaction.raw.execute(
        _KEEP,
        [one.return_key for one in returns],
        [one.content_hash for one in returns],
        [one.receipt_key for one in returns],
        [_THOUSANDTHS.dump_json(one.thousandths).decode() for one in returns],
        [None if one.said is None else _SAID.dump_json(one.said).decode() for one in returns],
        [one.moves_on for one in returns],
        [one.traceparent for one in returns],
        transaction.now,
    )


async def load(transaction: Transaction, receipt_keys: Collection[bytes]) -> dict[bytes, list[KeptReturn]]:
    """The returns of these receipts that were not refused here, in the order in which they were read."""
    found: dict[bytes, list[KeptReturn]] = {}
    for row in await transaction.raw.fetch(_LOAD, list(receipt_keys)):
        found.setdefault(row["receipt_key"], []).append(_kept_of(row))
    return found


async def settle(transaction: Transaction, states: Iterable[tuple[KeptReturn, State]]) -> None:
    """Write what became of returns that this transaction has loaded."""
    settled = list(states)
    await transaction.raw.execute(
        _SETTLE,
        [kept.document.return_key for kept, _ in settled],
        [kept.document.content_hash for kept, _ in settled],
        [state for _, state in settled],
        [kept.due for kept, _ in settled],
    )


async def settle_captures(transaction: Transaction, captures: Sequence[Capture]) -> None:
    """Write what returns have settled of captures of redemptions that this transaction has locked."""
    if not captures:
        return
    await transaction.raw.execute(
        _SETTLE_CAPTURES,
        [capture.redemption_id for capture in captures],
        [capture.receipt_key for capture in captures],
        [capture.settled_points for capture in captures],
        [capture.moved_points for capture in captures],
    )


async def find_due(transaction: Transaction, receipts_max: int) -> list[bytes]:
    """Receipts with returns that somebody must look at, in key order."""
    return [row["receipt_key"] for row in await transaction.raw.fetch(_FIND_DUE, receipts_max)]


async def look_again_at_exchanges(transaction: Transaction, voided: Collection[bytes]) -> None:
    """Have what these exchanges brought back settled again: they are voided. What a person was to look at of them is
    settled."""
    await transaction.raw.execute(_LOOK_AGAIN_AT_EXCHANGES, list(voided))
    await transaction.raw.execute(_SETTLE_EXCEPTIONS_OF_EXCHANGES, list(voided), transaction.now)


async def find_taken(transaction: Transaction, receipt_keys: Collection[bytes]) -> dict[CaptureKey, datetime]:
    """What these receipts have captured, with the times at which they did."""
    rows = await transaction.raw.fetch(_FIND_TAKEN, list(receipt_keys))
    return {(row["redemption_id"], row["receipt_key"]): row["captured_at"] for row in rows}


async def load_given(transaction: Transaction, taken: Collection[CaptureKey]) -> dict[CaptureKey, Given]:
    """What went back of these captures, by the document that it went back for."""
    given: dict[CaptureKey, Given] = {}
    rows = await transaction.raw.fetch(_LOAD_GIVEN, [key[0] for key in taken], [key[1] for key in taken])
    for row in rows:
        one = given.setdefault((row["redemption_id"], row["receipt_key"]), Given({}, {}))
        one.by_document[row["undone_by"]] = one.by_document.get(row["undone_by"], 0) + row["points"]
        if row["content_hash"] == OVER_HTTP:
            one.over_http[row["undone_by"]] = row["points"]
    return given


async def is_of_another(transaction: Transaction, return_key: bytes, receipt_key: bytes) -> bool:
    """Whether this document, which is locked, is known as something else than a return of this receipt."""
    return bool(await transaction.raw.fetchval(_IS_OF_ANOTHER, return_key, receipt_key))


async def load_moved_on(
    transaction: Transaction, returns: Iterable[KeptReturn], receipt_keys: Collection[bytes]
) -> list[ExceptionRecord]:
    """Of these receipts those that are exchanges to whose goods points moved on, as exceptions of their returns."""
    rows = await transaction.raw.fetch(_LOAD_MOVED_ON, list(receipt_keys))
    return [
        ExceptionRecord("moved_on", redemption_id, key, one.document.content_hash, partner_id, moved_points, 0)
        for redemption_id, key, partner_id, moved_points in rows
        for one in returns
        if one.document.receipt_key == key and not one.document.moves_on
    ]


async def load_of_others(
    transaction: Transaction, documents: Collection[tuple[bytes, str, bytes]]
) -> list[ExceptionRecord]:
    """Returns and voids (their key, their document's hash, and the receipt that they are of) for which points went back
    over HTTP as for goods of another receipt, as the exceptions that they are."""
    keys, hashes, originals = zip(*documents, strict=True) if documents else ((), (), ())
    rows = await transaction.raw.fetch(_LOAD_OF_OTHERS, keys, hashes, originals)
    return [ExceptionRecord("amount_mismatch", *row.values()) for row in rows]


async def tell_unread(transaction: Transaction, before: datetime, rows_max: int) -> list[ExceptionRecord]:
    """Returns from before then of receipts that took points and were never read, as the exceptions that they are; none
    of a receipt whose points are all back.
    """
    rows = await transaction.raw.fetch(_TELL_UNREAD, before, rows_max)
    return [ExceptionRecord("unread_receipt", *row.values()) for row in rows]


def _kept_of(row: asyncpg.Record) -> KeptReturn:
    document = GoodsReturn(
        return_key=row["return_key"],
        content_hash=row["content_hash"],
        receipt_key=row["receipt_key"],
        thousandths=_THOUSANDTHS.validate_json(row["thousandths"]),
        said=None if row["said"] is None else _SAID.validate_json(row["said"]),
        moves_on=row["moves_on"],
        traceparent=row["traceparent"],
        is_counted=row["state"] == "counted",
    )
    return KeptReturn(document, row["due"], row["is_refused"])
