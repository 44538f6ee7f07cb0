"""What receipts took of redemptions: at most one capture of a redemption and a receipt."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.redemption.domain.redemption import Capture
from shared.database import Transaction
from shared.database.later import Write
from shared.ledger import LimitedPoints
from shared.ledger.conditions import read_limits, write_limits

CaptureKey = tuple[UUID, bytes]

_CAPTURE_COLUMNS = """redemption_id, receipt_key, points, late_points, uncovered_points, released_points, open_before,
    source, content_hash, limited, late_because, let_go_before,
    debt_points"""
CAPTURE_COLUMNS = f"{_CAPTURE_COLUMNS}, refunded_points, settled_points, moved_points"

LOAD_CAPTURES = f"""
    select {CAPTURE_COLUMNS}
    from redemption_captures
        join unnest($1::uuid[], $2::bytea[]) as wanted (redemption_id, receipt_key) using (redemption_id, receipt_key)
"""

LOAD_CAPTURES_OF = f"""
    select {CAPTURE_COLUMNS}
    from redemption_captures
    where redemption_id = $1
    order by captured_at, receipt_key
    limit $2
"""

_CAPTURE = f"""
    insert into redemption_captures ({_CAPTURE_COLUMNS}, captured_at)
    select *, $14
    from unnest(
        $1::uuid[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[]
    )
    order by 2, 1
    returning receipt_key
"""
# Goods may have come back before their receipt takes its points: whoever settles returns looks again.
_CAPTURED = f"captured as ({_CAPTURE})"
_LOOK_AGAIN = """
    update redemption_returns as goods set due = due + 1
    from (select distinct receipt_key from captured) as taking
    where goods.receipt_key = taking.receipt_key and goods.state <> 'refused'
"""
SAVE_CAPTURES = f"with {_CAPTURED} {_LOOK_AGAIN}"


async def load_captures(transaction: Transaction, keys: Iterable[CaptureKey]) -> dict[CaptureKey, Capture]:
    """What was captured under these keys; the redemptions are locked, so nobody adds to it meanwhile."""
    wanted = sorted(set(keys))
    rows = await transaction.raw.fetch(LOAD_CAPTURES, [key[0] for key in wanted], [key[1] for key in wanted])
    return {(row["redemption_id"], row["receipt_key"]): capture_of(row) for row in rows}


async def load_captures_of(transaction: Transaction, redemption_id: UUID, rows_max: int) -> list[Capture]:
    """What receipts took of one redemption, oldest first."""
    return [capture_of(row) for row in await transaction.raw.fetch(LOAD_CAPTURES_OF, redemption_id, rows_max)]


async def save_captures(transaction: Transaction, captures: Sequence[Capture]) -> None:
    """Write new captures, of redemptions that this transaction has locked."""
    if not captures:
        return
    await transaction.raw.execute(SAVE_CAPTURES, *_captured_columns(captures, transaction.now))


def save_capture_later(transaction: Transaction, capture: Capture, *, is_first: bool) -> None:
    """Write a new capture, of a redemption that this transaction has locked, with the transaction's last statement.
    ``is_first``: nobody has told anything of its receipt yet."""
    if is_first:
        save_first_captures_later(transaction, [capture])
        return
    columns = _captured_columns([capture], transaction.now)
    transaction.later.append(Write(_LOOK_AGAIN, columns, (_CAPTURED,)))


def save_first_captures_later(transaction: Transaction, captures: Sequence[Capture]) -> None:
    """The same for several, of whose receipts nobody has told anything yet."""
    if captures:
        transaction.later.append(Write(_CAPTURE, _captured_columns(captures, transaction.now)))


def _captured_columns(captures: Sequence[Capture], now: datetime) -> list[object]:
    return [
        [capture.redemption_id for capture in captures],
        [capture.receipt_key for capture in captures],
        [capture.points for capture in captures],
        [capture.late_points for capture in captures],
        [capture.uncovered_points for capture in captures],
        [capture.released_points for capture in captures],
        [capture.open_before for capture in captures],
        [capture.source for capture in captures],
        [capture.content_hash for capture in captures],
        [_written(capture.limited) for capture in captures],
        [capture.late_because for capture in captures],
        [capture.let_go_before for capture in captures],
        [capture.debt_points for capture in captures],
        now,
    ]


def capture_of(row: asyncpg.Record) -> Capture:
    """From a row with ``CAPTURE_COLUMNS``."""
    return Capture(
        redemption_id=row["redemption_id"],
        receipt_key=row["receipt_key"],
        points=row["points"],
        late_points=row["late_points"],
        uncovered_points=row["uncovered_points"],
        released_points=row["released_points"],
        open_before=row["open_before"],
        source=row["source"],
        content_hash=row["content_hash"],
        refunded_points=row["refunded_points"],
        limited=_limited(row["limited"]),
        late_because=row["late_because"],
        let_go_before=row["let_go_before"],
        settled_points=row["settled_points"],
        moved_points=row["moved_points"],
        debt_points=row["debt_points"],
    )


def _written(limited: Sequence[LimitedPoints]) -> str | None:
    return json.dumps([[write_limits(limits), points] for limits, points in limited]) if limited else None


def _limited(written: str | None) -> tuple[LimitedPoints, ...]:
    if written is None:
        return ()
    return tuple(LimitedPoints(read_limits(limits), points) for limits, points in json.loads(written))
