"""What a member was, and which receipts were moved from or to it, for the member: sections of the export."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from services.accrual.domain.receipt_moves import ReceiptMove
from services.accrual.repository import former_states, receipt_moves
from services.accrual.repository.former_states import FormerAttribute, FormerState
from services.accrual.use_cases.read_tier_data import NO_ID
from shared.database import Transaction
from shared.web.sections import Section, read_key, read_number


@dataclass(frozen=True, slots=True)
class KeptMove:
    """A move, and whose side of it is told."""

    move: ReceiptMove
    is_from: bool


KeptOfHistory: TypeAlias = KeptMove | FormerState | FormerAttribute
Found: TypeAlias = Sequence[tuple[str, KeptOfHistory]]


async def read_moves(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Receipts that were moved, or are to be, from the member or to it."""
    found = await receipt_moves.load_of_member(transaction, member_id, read_key(after, UUID) or NO_ID, rows_max)
    return [(str(move.move_id), KeptMove(move, move.from_member_id == member_id)) for move in found]


async def read_states(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Former birthdays and households."""
    found = await former_states.load_states(transaction, member_id, read_key(after, read_number) or 0, rows_max)
    return [(str(one.version), one) for one in found]


async def read_attributes(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was said before under attributes."""
    key = read_key(after, _attribute_key) or ("", 0)
    found = await former_states.load_attributes(transaction, member_id, key, rows_max)
    return [(f"{one.version}/{one.code}", one) for one in found]


def _attribute_key(text: str) -> tuple[str, int]:
    version, _, code = text.partition("/")
    if "\0" in code:
        raise ValueError("no code holds such a character")
    return code, read_number(version)


HISTORY_SECTIONS: tuple[Section[KeptOfHistory], ...] = (read_moves, read_states, read_attributes)
