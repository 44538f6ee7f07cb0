"""What corrections made of awards, and the documents that they are about."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.corrections import InForce
from services.accrual.repository import award_parts
from services.accrual.repository.award_parts import PartRow
from services.accrual.repository.stored_documents import compress, decompress, without_identifier
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseRecorded

# As they came: whatever has corrected them since.
_FIRST_OF = "select natural_key, event from documents where natural_key = any($1::bytea[])"

_IN_FORCE = """
    select occurred_at, corrections.natural_key
    from corrections join awards on awards.corrected_by = corrections.natural_key
    where awards.natural_key = $1
"""

# The caller holds the claim, the member and the award.
_CORRECT_AWARD = """
    update awards set points = $2, taken_back = $3, decision = $4, parts = $5, corrected_by = $6 where natural_key = $1
"""
_CHANGE_PARTS = """
    update award_parts set points = changed.points, taken_back = changed.taken_back
    from unnest($2::smallint[], $3::bigint[], $4::bigint[]) as changed (number, points, taken_back)
    where award_parts.natural_key = $1 and award_parts.number = changed.number
"""
_KEEP_DOCUMENT = "insert into documents (natural_key, decided_at, event) values ($1, $2, $3)"


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """What a correction made of an award: its points, total and decision before and after.

    ``points_moved`` were given, or below zero taken, of the programme's own: as much as what is left changed.
    ``became_debt`` of those that were taken are owed; ``clipped`` were to be taken besides, and nobody owes them.
    """

    natural_key: bytes
    original_key: bytes
    owner_id: UUID
    reason: str | None
    occurred_at: datetime
    points_before: int
    points_after: int
    points_moved: int
    became_debt: int
    clipped: int
    total_minor_before: int
    total_minor_after: int
    decision_before: bytes
    decision_after: bytes
    decided_at: datetime


_NAMES = tuple(field.name for field in fields(CorrectionRow))
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join(f"${number}" for number in range(1, len(_NAMES) + 1))
_SAVE = f"insert into corrections ({_COLUMNS}) values ({_VALUES})"
_FIND = f"select {_COLUMNS} from corrections where natural_key = $1"
_LOAD = f"select {_COLUMNS} from corrections where original_key = $1 order by decided_at, occurred_at, natural_key"
_OF_MEMBER = f"""
    select {_COLUMNS} from corrections where owner_id = $1 and natural_key > $2 order by natural_key limit $3
"""


class KeptCorrection(NamedTuple):
    """A correction with its document; None once that one's time was over."""

    row: CorrectionRow
    document: bytes | None


class CorrectedAward(NamedTuple):
    """What becomes of an award. ``changed`` are points given and taken back by the number of a part that was there."""

    natural_key: bytes
    corrected_by: bytes
    points: int
    taken_back: int
    decision: bytes
    parts: int | None
    changed: Sequence[tuple[int, int, int]]
    new_parts: Sequence[PartRow]


async def load_first(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, PurchaseRecorded]:
    """The purchases of these receipts as they came first; one that is not kept any more is absent."""
    rows = await transaction.raw.fetch(_FIRST_OF, list(keys))
    read = {row["natural_key"]: PURCHASES.read(decompress(row["event"])) for row in rows}
    return {key: event for key, event in read.items() if isinstance(event, PurchaseRecorded)}


async def find_in_force(transaction: Transaction, key: bytes) -> InForce | None:
    """The correction by which a receipt stands; None where none has changed it."""
    row = await transaction.raw.fetchrow(_IN_FORCE, key)
    return None if row is None else InForce(*row)


async def correct(transaction: Transaction, award: CorrectedAward) -> None:
    """Let an award be what the correction makes of it."""
    await transaction.raw.execute(
        _CORRECT_AWARD,
        award.natural_key,
        award.points,
        award.taken_back,
        award.decision,
        award.parts,
        award.corrected_by,
    )
    if award.changed:
        numbers, points, taken_back = zip(*award.changed, strict=True)
        await transaction.raw.execute(_CHANGE_PARTS, award.natural_key, numbers, points, taken_back)
    if award.new_parts:
        await award_parts.save(transaction, award.new_parts)


async def save(transaction: Transaction, row: CorrectionRow, body: bytes) -> None:
    """Keep what a correction changed, with its document; a second one of its key is impossible (primary key)."""
    await transaction.raw.execute(_SAVE, *(getattr(row, name) for name in _NAMES))
    await transaction.raw.execute(_KEEP_DOCUMENT, row.natural_key, transaction.now, compress(without_identifier(body)))


async def find(transaction: Transaction, key: bytes) -> CorrectionRow | None:
    """What a correction changed."""
    row = await transaction.raw.fetchrow(_FIND, key)
    return None if row is None else CorrectionRow(**dict(row))


async def load_of_receipt(transaction: Transaction, original_key: bytes) -> list[CorrectionRow]:
    """What corrections changed of a receipt, the first first."""
    return [CorrectionRow(**dict(row)) for row in await transaction.raw.fetch(_LOAD, original_key)]


async def load_of_member(
    transaction: Transaction, member_id: UUID, after_key: bytes, rows_max: int
) -> list[KeptCorrection]:
    """Corrections of a member's receipts, by natural key."""
    rows = [
        CorrectionRow(**dict(row)) for row in await transaction.raw.fetch(_OF_MEMBER, member_id, after_key, rows_max)
    ]
    found = await transaction.raw.fetch(_FIRST_OF, [row.natural_key for row in rows])
    documents = {row["natural_key"]: decompress(row["event"]) for row in found}
    return [KeptCorrection(row, documents.get(row.natural_key)) for row in rows]
