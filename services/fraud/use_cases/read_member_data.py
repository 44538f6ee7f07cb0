"""What was found about one member, for the member: in sections, each read in the order of its keys."""

from typing import TypeAlias
from uuid import UUID

from services.fraud.repository import member_data
from services.fraud.repository.member_data import KeptCase, KeptHold, KeptIdentifierTimes, KeptSignal, KeptSpendDecision
from shared.database import Transaction
from shared.receipt_key import natural_key_of, receipt_id_of
from shared.web.sections import Section, read_key

Kept: TypeAlias = KeptSignal | KeptHold | KeptCase | KeptSpendDecision | KeptIdentifierTimes
Found: TypeAlias = list[tuple[str, Kept]]


async def read_signals(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Rules that fired."""
    found = await member_data.load_signals(transaction, member_id, read_key(after, UUID), rows_max)
    return [(str(signal.signal_id), signal) for signal in found]


async def read_holds(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was asked for on awards."""
    found = await member_data.load_holds(transaction, member_id, read_key(after, natural_key_of) or b"", rows_max)
    return [(receipt_id_of(hold.receipt_key), hold) for hold in found]


async def read_cases(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What people looked at, and how it ended."""
    found = await member_data.load_cases(transaction, member_id, read_key(after, UUID), rows_max)
    return [(str(case.case_id), case) for case in found]


async def read_spend_decisions(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was asked before points left."""
    found = await member_data.load_spend_decisions(transaction, member_id, read_key(after, UUID), rows_max)
    return [(str(decision.decision_id), decision) for decision in found]


async def read_identifier_times(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """When identifiers were linked: one row, or none."""
    found = None if after or not rows_max else await member_data.find_identifier_times(transaction, member_id)
    return [] if found is None else [(str(member_id), found)]


SECTIONS: tuple[Section[Kept], ...] = (
    read_signals,
    read_holds,
    read_cases,
    read_spend_decisions,
    read_identifier_times,
)
