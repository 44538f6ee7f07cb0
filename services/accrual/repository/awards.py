"""Awards, the documents they were judged from, returns and refusals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.accrual.domain.corrections import corrected
from services.accrual.repository import award_parts
from services.accrual.repository.award_parts import StoredPart
from services.accrual.repository.stored_documents import compress, decompress, without_identifier
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, ReceiptCorrected
from shared.ledger import LotTerms

# Plain inserts go as COPY: with arrays a receipt took a fifth more of the processor (measured: 102 against 83 us).
_DOCUMENT_COLUMNS = ("natural_key", "decided_at", "event")

_READ_AWARDS = """
    select natural_key, owner_id, partner_id, point_type, points, taken_back, available_from, expires_on,
        rule_set_version, mapping_version, decision, parts, voided_by, corrected_by,
        decided_at
    from awards where natural_key = any($1::bytea[])
    order by natural_key
"""

# Locked after the member's row: whoever changes what is left of an award holds both.
_LOCK_AWARDS = f"{_READ_AWARDS} for no key update"

_TAKE_BACK = """
    update awards set taken_back = awards.taken_back + taken.points
    from unnest($1::bytea[], $2::bigint[]) as taken (natural_key, points)
    where awards.natural_key = taken.natural_key
"""

_VOID = """
    update awards set voided_by = voids.natural_key
    from unnest($1::bytea[], $2::bytea[]) as voids (original_key, natural_key)
    where awards.natural_key = voids.original_key
"""

_SAVE_RETURNS = """
    insert into returns (
        natural_key, original_key, owner_id, points, became_debt, cause, clipped, lacked, withheld, decided_at
    )
    select natural_key, original_key, owner_id, points, became_debt, cause, clipped, lacked, withheld, $1
    from unnest(
        $2::bytea[], $3::bytea[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[],
        $10::bigint[]
    ) as incoming (natural_key, original_key, owner_id, points, became_debt, cause, clipped, lacked, withheld)
    order by natural_key
"""

_SAVE_RETURNED_LINES = """
    insert into returned_lines (original_key, line_id, natural_key, quantity_thousandths)
    select original_key, line_id, natural_key, quantity_thousandths
    from unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bigint[])
        as incoming (original_key, line_id, natural_key, quantity_thousandths)
    order by original_key, line_id, natural_key
"""

_RETURNED_OF = """
    select original_key, line_id, sum(quantity_thousandths)::bigint as quantity_thousandths
    from returned_lines where original_key = any($1::bytea[])
    group by original_key, line_id
"""

# What an exchange brought back that was voided is not back.
_LACKED_OF = """
    select lines.original_key, sum(returns.lacked)::bigint as points
    from (select distinct original_key, natural_key from returned_lines where original_key = any($1::bytea[])) as lines
        join returns on returns.natural_key = lines.natural_key
    where returns.voided_by is null
    group by lines.original_key
"""

_DECISION_OF = "select decision from awards where natural_key = $1"

_DECISIONS_OF = "select natural_key, decision from awards where natural_key = any($1::bytea[])"

_DOCUMENTS_OF = """
    select documents.natural_key, documents.event, correction.event as correction
    from documents
        left join awards on awards.natural_key = documents.natural_key and awards.corrected_by is not null
        left join documents as correction on correction.natural_key = awards.corrected_by
    where documents.natural_key = any($1::bytea[])
"""

_SAVE_REFUSALS = """
    insert into refusals (natural_key, content_hash, reason, detail, event, owner_id, refused_at)
    select natural_key, content_hash, reason, detail, event, owner_id, $1
    from unnest($2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::bytea[], $7::uuid[])
        as incoming (natural_key, content_hash, reason, detail, event, owner_id)
    order by natural_key
    on conflict (natural_key, content_hash) do nothing
    returning natural_key, content_hash
"""


class AwardRow(NamedTuple):
    """A new award, as it stands in the table: ``decision`` is what was applied, in at most 500 bytes.

    ``parts``: how many it is made of, where it is more than one lot.
    """

    natural_key: bytes
    owner_id: UUID
    partner_id: str
    point_type: str
    points: int
    taken_back: int
    available_from: date
    expires_on: date | None
    rule_set_version: int
    decision: bytes
    decided_at: datetime
    mapping_version: int
    parts: int | None


@dataclass(frozen=True, slots=True)
class StoredAward:
    """An award as it stands: ``points`` given, ``taken_back`` of them returned since. ``decision`` as it was saved.

    Where it has ``parts``, points are those of the programme's own type, and each part says where its own are.
    ``voided_by`` is the document that undid all of it, where one did. ``decided_at``: since when it is its owner's.
    """

    natural_key: bytes
    owner_id: UUID
    partner_id: str
    point_type: str
    points: int
    taken_back: int
    terms: LotTerms
    rule_set_version: int
    mapping_version: int
    decision: bytes
    decided_at: datetime
    parts: tuple[StoredPart, ...] = ()
    voided_by: bytes | None = None
    corrected_by: bytes | None = None


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A return that was decided, or whatever else took an award back: ``cause`` says what.

    ``clipped`` points were to be taken besides and were not there: their issuer bears them. ``lacked`` were not there
    where rules may forgive a little, whether somebody owes them or not. ``withheld`` of what was to be taken the member
    keeps: money was kept of the refund for them.
    """

    natural_key: bytes
    original_key: bytes
    owner_id: UUID
    points: int
    became_debt: int
    returned_thousandths: Mapping[int, int]
    cause: str = "return"
    clipped: int = 0
    lacked: int = 0
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A document that earns nothing, and why. ``owner_id`` is whom it names, where it names a member."""

    natural_key: bytes
    content_hash: bytes
    reason: str
    detail: str
    event: bytes
    owner_id: UUID | None


async def save_awards(transaction: Transaction, rows: Sequence[AwardRow]) -> None:
    """Insert awards; a second one of a receipt is impossible (primary key)."""
    if rows:
        await transaction.raw.copy_records_to_table("awards", columns=AwardRow._fields, records=rows)


async def save_documents(transaction: Transaction, documents: Sequence[tuple[bytes, bytes]]) -> None:
    """Keep decided documents: natural keys and compressed bodies."""
    if documents:
        await transaction.raw.copy_records_to_table(
            "documents",
            columns=_DOCUMENT_COLUMNS,
            records=[(key, transaction.now, compressed) for key, compressed in documents],
        )


async def lock_awards(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, StoredAward]:
    """The awards of these receipts, locked, with their parts; a receipt without one is absent."""
    return await _awards(transaction, _LOCK_AWARDS, keys)


async def read_awards(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, StoredAward]:
    """The same for who decides nothing."""
    return await _awards(transaction, _READ_AWARDS, keys)


async def _awards(transaction: Transaction, statement: str, keys: Collection[bytes]) -> dict[bytes, StoredAward]:
    rows = await transaction.raw.fetch(statement, list(keys))
    in_parts = [row["natural_key"] for row in rows if row["parts"] is not None]
    parts = await award_parts.load(transaction, in_parts) if in_parts else {}
    return {row["natural_key"]: _stored(row, parts.get(row["natural_key"], ())) for row in rows}


async def take_back(transaction: Transaction, points_by_key: Mapping[bytes, int]) -> None:
    """Count points as taken back from awards that this transaction has locked."""
    await transaction.raw.execute(_TAKE_BACK, list(points_by_key), list(points_by_key.values()))


async def void(transaction: Transaction, voids: Mapping[bytes, bytes]) -> None:
    """Mark awards that this transaction has locked as undone, each by the document that did it."""
    await transaction.raw.execute(_VOID, list(voids), list(voids.values()))


async def save_returns(transaction: Transaction, rows: Sequence[ReturnRow]) -> None:
    """Keep what returns brought back, for the next return of the same receipt."""
    await transaction.raw.execute(
        _SAVE_RETURNS,
        transaction.now,
        [row.natural_key for row in rows],
        [row.original_key for row in rows],
        [row.owner_id for row in rows],
        [row.points for row in rows],
        [row.became_debt for row in rows],
        [row.cause for row in rows],
        [row.clipped for row in rows],
        [row.lacked for row in rows],
        [row.withheld for row in rows],
    )
    lines = [(row, line, quantity) for row in rows for line, quantity in row.returned_thousandths.items()]
    await transaction.raw.execute(
        _SAVE_RETURNED_LINES,
        [row.original_key for row, _, _ in lines],
        [line for _, line, _ in lines],
        [row.natural_key for row, _, _ in lines],
        [quantity for _, _, quantity in lines],
    )


async def load_returned(transaction: Transaction, original_keys: Collection[bytes]) -> dict[bytes, dict[int, int]]:
    """Quantities returned so far, in thousandths, by original receipt and line."""
    returned: dict[bytes, dict[int, int]] = {}
    for row in await transaction.raw.fetch(_RETURNED_OF, list(original_keys)):
        returned.setdefault(row["original_key"], {})[row["line_id"]] = row["quantity_thousandths"]
    return returned


async def load_lacked(transaction: Transaction, original_keys: Collection[bytes]) -> dict[bytes, int]:
    """How many of the programme's own points of these receipts were not there when they were taken back."""
    rows = await transaction.raw.fetch(_LACKED_OF, list(original_keys))
    return {row["original_key"]: row["points"] for row in rows}


async def load_documents(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, PurchaseEvent]:
    """Decided documents by natural key; a purchase that was corrected is as it stands since."""
    rows = await transaction.raw.fetch(_DOCUMENTS_OF, list(keys))
    return {row["natural_key"]: _as_it_stands(row) for row in rows}


async def load_decision(transaction: Transaction, key: bytes) -> bytes:
    """What was stored of an award's decision. The award must exist."""
    decision: bytes = await transaction.raw.fetchval(_DECISION_OF, key)
    return decision


async def load_decisions(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, bytes]:
    """What was stored of awards' decisions; what has no award is absent."""
    rows = await transaction.raw.fetch(_DECISIONS_OF, list(keys))
    return {row["natural_key"]: row["decision"] for row in rows}


async def save_refusals(transaction: Transaction, rows: Sequence[RefusalRow]) -> set[tuple[bytes, bytes]]:
    """Keep refused documents; those that were not known as refused before come back, as (key, content hash)."""
    if not rows:
        return set()
    saved = await transaction.raw.fetch(
        _SAVE_REFUSALS,
        transaction.now,
        [row.natural_key for row in rows],
        [row.content_hash for row in rows],
        [row.reason for row in rows],
        [row.detail for row in rows],
        [compress(without_identifier(row.event)) for row in rows],
        [row.owner_id for row in rows],
    )
    return {(row["natural_key"], row["content_hash"]) for row in saved}


def _as_it_stands(row: asyncpg.Record) -> PurchaseEvent:
    event = PURCHASES.read(decompress(row["event"]))
    if row["correction"] is None:
        return event
    correction = PURCHASES.read(decompress(row["correction"]))
    if not isinstance(event, PurchaseRecorded) or not isinstance(correction, ReceiptCorrected):
        raise TypeError("a purchase is corrected, and by a correction")
    return event.model_copy(update={"data": corrected(event.data, correction.data)})


def _stored(row: asyncpg.Record, parts: tuple[StoredPart, ...]) -> StoredAward:
    available_from: date = row["available_from"]
    return StoredAward(
        natural_key=row["natural_key"],
        owner_id=row["owner_id"],
        partner_id=row["partner_id"],
        point_type=row["point_type"],
        points=row["points"],
        taken_back=row["taken_back"],
        terms=LotTerms(issuer=row["partner_id"], available_from=available_from, expires_on=row["expires_on"]),
        rule_set_version=row["rule_set_version"],
        mapping_version=row["mapping_version"],
        decision=row["decision"],
        decided_at=row["decided_at"],
        parts=parts,
        voided_by=row["voided_by"],
        corrected_by=row["corrected_by"],
    )
