"""Exchanges that were decided: what of which receipt came back in them, and that one was voided."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from shared.database import Transaction

_LOAD = """
    select natural_key, original_key, points, clipped, voided_by,
        (
            select coalesce(sum(others.clipped), 0)::bigint from returns as others
            where others.voided_by is null and others.natural_key in (
                select lines.natural_key from returned_lines as lines where lines.original_key = returns.original_key)
        ) as clipped_in_all
    from returns where natural_key = any($1::bytea[]) and cause in ('exchange', 'handover')
"""

_LINES = """
    select lines.natural_key, lines.line_id, lines.quantity_thousandths
    from unnest($1::bytea[], $2::bytea[]) as exchange (natural_key, original_key)
        join returned_lines as lines
            on lines.original_key = exchange.original_key and lines.natural_key = exchange.natural_key
"""

_VOID = """
    update returns set voided_by = voids.voided_by
    from unnest($1::bytea[], $2::bytea[]) as voids (natural_key, voided_by)
    where returns.natural_key = voids.natural_key
"""

_SAVE_GIVEN_BACK = """
    update returns set given_back = given.points
    from unnest($1::bytea[], $2::bigint[]) as given (natural_key, points)
    where returns.natural_key = given.natural_key
"""

_FORGET_LINES = """
    delete from returned_lines using unnest($1::bytea[], $2::bytea[]) as exchange (natural_key, original_key)
    where returned_lines.original_key = exchange.original_key and returned_lines.natural_key = exchange.natural_key
"""


class ExchangeRow(NamedTuple):
    """The returned side of an exchange as it stands. ``clipped_in_all``: by all that came back of its original."""

    natural_key: bytes
    original_key: bytes
    points: int
    clipped: int
    voided_by: bytes | None
    clipped_in_all: int


class VoidedRow(NamedTuple):
    """An exchange that a document has voided. ``given_back`` of what it had taken was given again; None: its goods'
    receipt was void itself, and what came back of it stays so.
    """

    natural_key: bytes
    original_key: bytes
    voided_by: bytes
    given_back: int | None


async def load(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, ExchangeRow]:
    """Those of these documents that were exchanges."""
    rows = await transaction.raw.fetch(_LOAD, list(keys))
    return {row["natural_key"]: ExchangeRow(*row.values()) for row in rows}


async def load_lines(transaction: Transaction, rows: Collection[ExchangeRow]) -> Mapping[bytes, Mapping[int, int]]:
    """What came back in each exchange, in thousandths, by line of its original."""
    lines: dict[bytes, dict[int, int]] = {}
    keys = [row.natural_key for row in rows], [row.original_key for row in rows]
    for key, line_id, quantity in await transaction.raw.fetch(_LINES, *keys):
        lines.setdefault(key, {})[line_id] = quantity
    return lines


async def void(transaction: Transaction, rows: Sequence[VoidedRow]) -> None:
    """Mark exchanges as voided, keep what that gave back, and let what had come back in them count as kept. The caller
    holds the awards of both sides, and has saved what the voids took.
    """
    if not rows:
        return
    await transaction.raw.execute(_VOID, [row.natural_key for row in rows], [row.voided_by for row in rows])
    given = [(row, row.given_back) for row in rows if row.given_back is not None]
    await transaction.raw.execute(
        _SAVE_GIVEN_BACK, [row.voided_by for row, _ in given], [points for _, points in given]
    )
    await transaction.raw.execute(
        _FORGET_LINES, [row.natural_key for row, _ in given], [row.original_key for row, _ in given]
    )
