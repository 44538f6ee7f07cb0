"""Everything that is kept of one member, for the member: in sections, each read in the order of its keys."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from services.accrual.domain.adjustments import Adjustment
from services.accrual.domain.event_awards import read_decision
from services.accrual.domain.member_events import MemberEvent
from services.accrual.domain.memberships import Membership
from services.accrual.domain.unlinked_cases import UnlinkedCase
from services.accrual.repository import (
    adjustments,
    award_parts,
    awards,
    corrections,
    member_data,
    member_events,
    memberships,
    unlinked_returns,
)
from services.accrual.repository.award_parts import StoredPart
from services.accrual.repository.corrections import KeptCorrection
from services.accrual.repository.member_data import KeptAward, KeptParked, KeptRefusal, KeptReturn
from services.accrual.use_cases.read_history_data import HISTORY_SECTIONS, KeptOfHistory
from services.accrual.use_cases.read_tier_data import NO_ID, TIER_SECTIONS, KeptOfTier
from shared.database import Transaction
from shared.receipt_key import natural_key_of, receipt_id_of
from shared.web.sections import Section, read_key, read_number


@dataclass(frozen=True, slots=True)
class KeptMemberEvent:
    """A member event, and what rules gave for it: rule by rule, and part by part as they stand."""

    event: MemberEvent
    by_rule: tuple[tuple[str, int], ...]
    parts: tuple[StoredPart, ...]


KeptOfReceipt: TypeAlias = KeptAward | KeptReturn | UnlinkedCase | KeptCorrection | KeptRefusal | KeptParked
Kept: TypeAlias = KeptOfReceipt | Adjustment | KeptMemberEvent | Membership | KeptOfTier | KeptOfHistory
Found: TypeAlias = list[tuple[str, Kept]]


async def read_awards(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Awards that gave points."""
    found = await member_data.load_awards(transaction, member_id, read_key(after, read_number) or 0, rows_max)
    return [(str(transfer_id), award) for transfer_id, award in found]


async def read_awards_without_points(
    transaction: Transaction, member_id: UUID, after: str | None, rows_max: int
) -> Found:
    """Awards that gave none: what was bought is kept all the same."""
    key = read_key(after, natural_key_of) or b""
    found = await member_data.load_awards_without_points(transaction, member_id, key, rows_max)
    return [(receipt_id_of(award.natural_key), award) for award in found]


async def read_returns(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What came back."""
    found = await member_data.load_returns(transaction, member_id, read_key(after, natural_key_of) or b"", rows_max)
    return [(receipt_id_of(each.natural_key), each) for each in found]


async def read_unlinked_returns(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What came back without naming what it was bought with."""
    key = read_key(after, natural_key_of) or b""
    found = await unlinked_returns.load_of_member(transaction, member_id, key, rows_max)
    return [(receipt_id_of(each.natural_key), each) for each in found]


async def read_corrections(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What corrected the member's receipts."""
    found = await corrections.load_of_member(transaction, member_id, read_key(after, natural_key_of) or b"", rows_max)
    return [(receipt_id_of(each.row.natural_key), each) for each in found]


async def read_refusals(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was refused."""
    keys = read_key(after, _two_keys) or (b"", b"")
    found = await member_data.load_refusals(transaction, member_id, keys, rows_max)
    return [
        (f"{receipt_id_of(refusal.natural_key)}/{receipt_id_of(refusal.content_hash)}", refusal) for refusal in found
    ]


async def read_parked(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What waits."""
    found = await member_data.load_parked(transaction, member_id, read_key(after, natural_key_of) or b"", rows_max)
    return [(receipt_id_of(parked.natural_key), parked) for parked in found]


async def read_adjustments(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What people gave and took."""
    found = await adjustments.load_of_member(transaction, member_id, read_key(after, UUID) or NO_ID, rows_max)
    return [(str(adjustment.adjustment_id), adjustment) for adjustment in found]


async def read_member_events(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What the member did beside buying."""
    found = await member_events.load_of_member(transaction, member_id, read_key(after, UUID) or NO_ID, rows_max)
    keys = [event.award for event in found]
    decisions, parts = await awards.load_decisions(transaction, keys), await award_parts.load(transaction, keys)
    return [
        (
            str(event.event_id),
            KeptMemberEvent(
                event,
                read_decision(decisions[event.award]).applied if event.award in decisions else (),
                parts.get(event.award, ()),
            ),
        )
        for event in found
    ]


async def read_memberships(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Segments that the member was put into, and campaigns that it joined."""
    found = await memberships.load_of_member(transaction, member_id, read_key(after, UUID) or NO_ID, rows_max)
    return [(str(membership.membership_id), membership) for membership in found]


def _two_keys(text: str) -> tuple[bytes, bytes]:
    natural_key, _, content_hash = text.partition("/")
    return natural_key_of(natural_key), natural_key_of(content_hash)


SECTIONS: tuple[Section[Kept], ...] = (
    read_awards,
    read_awards_without_points,
    read_returns,
    read_unlinked_returns,
    read_corrections,
    read_refusals,
    read_parked,
    read_adjustments,
    *TIER_SECTIONS,
    read_member_events,
    read_memberships,
    *HISTORY_SECTIONS,
)
