"""Receipts and returns as they were decided, page by page in that order: what a backtest judges again.

A page ends with a transaction's last receipt: all that were decided at one moment come together, in the order in which
they were written. Nothing is locked, and no snapshot outlasts its page.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.backtests.receipts import TakenReturn
from shared.database import Transaction

_EXPECTED = "explain (format json) select 1 from documents where decided_at >= '{begin}' and decided_at < '{end}'"

# Where a page ends: at the moment at which the last of so many receipts was decided.
_PAGE_END = """
    select decided_at from documents where decided_at > $1 and decided_at < $2 order by decided_at offset $3 limit 1
"""
_PAGE = """
    select natural_key, decided_at, event from documents where decided_at > $1 and decided_at <= $2
    order by decided_at, tableoid, ctid
"""
_AWARDS = """
    select natural_key, owner_id, points, rule_set_version, mapping_version, decision, corrected_by is not null,
        voided_by is not null
    from awards where natural_key = any($1::bytea[])
"""
_COMING_BACK = "select distinct original_key from returned_lines where original_key = any($1::bytea[])"
_MOVED = "select distinct natural_key from receipt_moves where natural_key = any($1::bytea[]) and state = 'moved'"
_RETURNS = """
    select natural_key, original_key, owner_id, cause, decided_at from returns
    where decided_at > $1 and decided_at <= $2 and voided_by is null  -- an exchange that never was took nothing
    order by decided_at, natural_key
"""
_RETURNED_LINES = """
    select natural_key, line_id, quantity_thousandths from returned_lines where original_key = any($1::bytea[])
"""


class DecidedAward(NamedTuple):
    """What a receipt was awarded. ``decision`` as it was stored."""

    owner_id: UUID
    points: int
    rule_set_version: int
    mapping_version: int
    decision: bytes
    is_corrected: bool = False
    is_voided: bool = False


class DecidedDocument(NamedTuple):
    """A document as it is stored, and when it was decided."""

    natural_key: bytes
    decided_at: datetime
    stored: bytes


class DecidedPage(NamedTuple):
    """One page: documents, their awards, which of them came back at some time, which were moved to another
    member, and what came back now.

    ``until`` is where the next page begins.
    """

    until: datetime
    is_last: bool
    documents: list[DecidedDocument]
    awards: dict[bytes, DecidedAward]
    coming_back: set[bytes]
    moved: set[bytes]
    returns: list[TakenReturn]


async def expect(transaction: Transaction, begin: datetime, end: datetime) -> int:
    """How many documents were decided within a time, roughly: as the server's statistics of the partitions say."""
    statement = _EXPECTED.format(begin=begin.isoformat(), end=end.isoformat())
    planned = await transaction.raw.fetchval(statement)
    return int(planned[0]["Plan"]["Plan Rows"])


async def load_page(transaction: Transaction, after: datetime, end: datetime, receipts_max: int) -> DecidedPage:
    """The next receipts that were decided after a moment, and before ``end``; more than ``receipts_max`` only where one
    transaction decided them.
    """
    raw = transaction.raw
    last: datetime | None = await raw.fetchval(_PAGE_END, after, end, receipts_max - 1)
    until = end if last is None else last
    documents = [DecidedDocument(*row) for row in await raw.fetch(_PAGE, after, until)]
    keys = [document.natural_key for document in documents]
    awards = {key: DecidedAward(*award) for key, *award in await raw.fetch(_AWARDS, keys)}
    coming_back = {row["original_key"] for row in await raw.fetch(_COMING_BACK, keys)}
    moved = {row["natural_key"] for row in await raw.fetch(_MOVED, keys)}
    returns = await _returns(transaction, after, until)
    return DecidedPage(until, last is None, documents, awards, coming_back, moved, returns)


async def _returns(transaction: Transaction, after: datetime, until: datetime) -> list[TakenReturn]:
    rows = await transaction.raw.fetch(_RETURNS, after, until)
    lines = await _lines(transaction, {row["original_key"] for row in rows}) if rows else {}
    return [
        TakenReturn(
            row["natural_key"],
            row["original_key"],
            row["owner_id"],
            lines.get(row["natural_key"], {}),
            row["decided_at"],
            row["cause"] == "void",
            row["cause"] == "handover",
        )
        for row in rows
    ]


async def _lines(transaction: Transaction, original_keys: Collection[bytes]) -> dict[bytes, dict[int, int]]:
    lines: dict[bytes, dict[int, int]] = {}
    for key, line_id, quantity in await transaction.raw.fetch(_RETURNED_LINES, list(original_keys)):
        lines.setdefault(key, {})[line_id] = quantity
    return lines
