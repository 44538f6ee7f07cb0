"""Everything that is kept of one member, row by row. The id is taken as it stands: a survivor's are the survivor's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from services.accrual.repository import award_parts
from services.accrual.repository.award_parts import ReturnPartRow, StoredPart
from services.accrual.repository.stored_documents import decompress
from shared.database import Transaction
from shared.ledger.terms import PROGRAMME

_AWARD = """
    awards.natural_key, awards.point_type, awards.points, taken_back, rule_set_version, mapping_version, decision,
    decided_at, fraud_holds.rule_code as hold_reason, fraud_holds.ends_at as hold_ends_at
"""
_OPEN_HOLDS = "left join fraud_holds on fraud_holds.natural_key = awards.natural_key and fraud_holds.action = 'hold'"

# By the ledger's transfers, which are found by account: awards have no index by owner. One in parts has several, and so
# has one that was moved away and back. What was moved away is another member's.
_LOAD_AWARDS = f"""
    select transfer_id, {_AWARD}
    from ledger_accounts
        join ledger_transfers using (account_id)
        join awards on awards.natural_key = ledger_transfers.reference
        {_OPEN_HOLDS}
    where ledger_accounts.owner_id = $1 and ledger_transfers.purpose = 'earn' and transfer_id > $2
        and awards.owner_id = $1
        and awards.partner_id <> '{PROGRAMME}'  -- a member event's is told with the event
        and (awards.parts is null and not exists (
            select from receipt_moves where receipt_moves.natural_key = awards.natural_key
        ) or transfer_id = (
            select min(first.transfer_id) from ledger_accounts as own join ledger_transfers as first using (account_id)
            where own.owner_id = $1 and first.purpose = 'earn' and first.reference = awards.natural_key))
    order by transfer_id
    limit $3
"""
_LOAD_AWARDS_WITHOUT_POINTS = f"""
    select {_AWARD}
    from awards {_OPEN_HOLDS}
    where awards.owner_id = $1 and awards.natural_key > $2 and awards.partner_id <> '{PROGRAMME}'
        and awards.natural_key in (
        select natural_key from awards where owner_id = $1 and points = 0 and parts is null and corrected_by is null
            and natural_key > $2
        union all
        select natural_key from receipt_moves  -- of which everything had come back before
        where to_member_id = $1 and state = 'moved' and natural_key > $2 and not exists (
            select from ledger_accounts as own join ledger_transfers as earned using (account_id)
            where own.owner_id = $1 and earned.purpose = 'earn' and earned.reference = receipt_moves.natural_key
        )
        union all
        select original_key from corrections  -- that had earned nothing before
        where owner_id = $1 and original_key > $2 and not exists (
            select from ledger_accounts as own join ledger_transfers as earned using (account_id)
            where own.owner_id = $1 and earned.purpose = 'earn' and earned.reference = corrections.original_key
        )
    )
    order by awards.natural_key
    limit $3
"""
_LOAD_DOCUMENTS = "select natural_key, event from documents where natural_key = any($1::bytea[])"

_LOAD_RETURNS = """
    select natural_key, original_key, points, became_debt, cause, clipped, given_back, voided_by, withheld, decided_at,
        array(
            select line_id from returned_lines
            where original_key = returns.original_key and natural_key = returns.natural_key order by line_id
        ) as line_ids,
        array(
            select quantity_thousandths from returned_lines
            where original_key = returns.original_key and natural_key = returns.natural_key order by line_id
        ) as quantities_thousandths
    from returns
    where owner_id = $1 and natural_key > $2
    order by natural_key
    limit $3
"""
_LOAD_REFUSALS = """
    select natural_key, content_hash, reason, detail, event, refused_at
    from refusals
    where owner_id = $1 and (natural_key, content_hash) > ($2, $3)
    order by natural_key, content_hash
    limit $4
"""
# Also what waits under an identifier that is the member's by now.
_LOAD_PARKED = """
    select natural_key, reason, event, parked_at
    from parked
    where natural_key > $2 and natural_key in (
        select natural_key from parked where owner_id = $1
        union all
        select natural_key from parked join identifiers using (identifier_hash) where identifiers.member_id = $1
    )
    order by natural_key
    limit $3
"""


@dataclass(frozen=True, slots=True)
class KeptAward:
    """What a receipt earned, and by which rules. ``document`` is None once its time was over.

    ``parts`` where it is more than one lot.
    """

    natural_key: bytes
    point_type: str
    points: int
    taken_back: int
    rule_set_version: int
    mapping_version: int
    decision: bytes
    decided_at: datetime
    hold_reason: str | None
    hold_ends_at: datetime | None
    document: bytes | None
    parts: tuple[StoredPart, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptReturn:
    """What a return, a void or an exchange took back, by line of the purchase: of its document this is what is kept."""

    natural_key: bytes
    original_key: bytes
    points: int
    became_debt: int
    cause: Literal["return", "void", "exchange", "handover"]
    clipped: int
    given_back: int
    voided_by: bytes | None
    withheld: int
    decided_at: datetime
    thousandths_by_line: dict[int, int]
    parts: tuple[ReturnPartRow, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptRefusal:
    """A document that was refused. ``document`` is None once its time was over."""

    natural_key: bytes
    content_hash: bytes
    reason: str
    detail: str
    refused_at: datetime
    document: bytes | None


@dataclass(frozen=True, slots=True)
class KeptParked:
    """A document that waits."""

    natural_key: bytes
    reason: str
    parked_at: datetime
    document: bytes


async def load_awards(
    transaction: Transaction, member_id: UUID, after_transfer: int, rows_max: int
) -> list[tuple[int, KeptAward]]:
    """Awards that gave points, in the order of giving, each with the number of its transfer."""
    rows = await transaction.raw.fetch(_LOAD_AWARDS, member_id, after_transfer, rows_max)
    awards = await _with_documents(transaction, rows)
    return [(row["transfer_id"], award) for row, award in zip(rows, awards, strict=True)]


async def load_awards_without_points(
    transaction: Transaction, member_id: UUID, after_key: bytes, rows_max: int
) -> list[KeptAward]:
    """Awards that gave none, by natural key."""
    rows = await transaction.raw.fetch(_LOAD_AWARDS_WITHOUT_POINTS, member_id, after_key, rows_max)
    return await _with_documents(transaction, rows)


async def load_returns(transaction: Transaction, member_id: UUID, after_key: bytes, rows_max: int) -> list[KeptReturn]:
    """Returns, by natural key."""
    rows = await transaction.raw.fetch(_LOAD_RETURNS, member_id, after_key, rows_max)
    parts = await award_parts.load_taken(transaction, [row["natural_key"] for row in rows])
    return [
        KeptReturn(
            natural_key=row["natural_key"],
            original_key=row["original_key"],
            points=row["points"],
            became_debt=row["became_debt"],
            cause=row["cause"],
            clipped=row["clipped"],
            given_back=row["given_back"],
            voided_by=row["voided_by"],
            withheld=row["withheld"],
            decided_at=row["decided_at"],
            thousandths_by_line=dict(zip(row["line_ids"], row["quantities_thousandths"], strict=True)),
            parts=parts.get(row["natural_key"], ()),
        )
        for row in rows
    ]


async def load_refusals(
    transaction: Transaction, member_id: UUID, after: tuple[bytes, bytes], rows_max: int
) -> list[KeptRefusal]:
    """Refused documents that name the member, by natural key and contents."""
    return [
        KeptRefusal(**_opened(row)) for row in await transaction.raw.fetch(_LOAD_REFUSALS, member_id, *after, rows_max)
    ]


async def load_parked(transaction: Transaction, member_id: UUID, after_key: bytes, rows_max: int) -> list[KeptParked]:
    """What waits under the member's id or identifiers, by natural key."""
    return [
        KeptParked(**_opened(row)) for row in await transaction.raw.fetch(_LOAD_PARKED, member_id, after_key, rows_max)
    ]


async def _with_documents(transaction: Transaction, rows: Collection[asyncpg.Record]) -> list[KeptAward]:
    found = await transaction.raw.fetch(_LOAD_DOCUMENTS, [row["natural_key"] for row in rows])
    documents = {row["natural_key"]: decompress(row["event"]) for row in found}
    parts = await award_parts.load(transaction, [row["natural_key"] for row in rows])
    return [
        KeptAward(
            **{name: value for name, value in row.items() if name != "transfer_id"},
            document=documents.get(row["natural_key"]),
            parts=parts.get(row["natural_key"], ()),
        )
        for row in rows
    ]


def _opened(row: asyncpg.Record) -> dict[str, Any]:
    kept = dict(row)
    event = kept.pop("event")
    return kept | {"document": None if event is None else decompress(event)}
