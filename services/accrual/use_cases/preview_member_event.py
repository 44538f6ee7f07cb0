"""Says what a member event would give if it were told now: the same decision, on facts that are read and not locked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.accrual.domain.decisions import Awarded
from services.accrual.domain.member_event_types import MemberEventType
from services.accrual.domain.member_events import EventMemberNotReadyError, MemberEvent
from services.accrual.programme import Programme, PublishedRules
from services.accrual.use_cases.judge_member_events import judge_member_events
from services.accrual.use_cases.lock_owners import find_owners
from services.accrual.use_cases.record_member_events import take_in
from services.accrual.use_cases.save_member_events import settled
from services.accrual.use_cases.tell_member_event import read_told
from shared.database import Transaction


class PreviewedEvent(NamedTuple):
    """The event as it would be recorded, or (``was_told``) as it was before; ``kind`` is the version of its type that
    would judge it, and ``awarded`` what rules would give.
    """

    event: MemberEvent
    kind: MemberEventType | None
    awarded: Awarded | None
    was_told: bool


async def preview_member_event(
    transaction: Transaction,
    type_code: str,
    member_id: UUID,
    payload: Mapping[str, Any],
    occurred_at: datetime,
    source: str,
    programme: Programme,
    rules: PublishedRules,
) -> PreviewedEvent:
    """What would be decided on an event that was told now. Nothing is written or locked.

    Raises:
        UnknownMemberEventError, TypeNotApprovedError, UnusablePayloadError, EventMemberNotReadyError: as of
            ``tell_member_event``.
    """
    told = await read_told(transaction, type_code, member_id, payload, occurred_at, source)
    owners = await find_owners(transaction, [member_id])
    window = min(programme.parked_window, programme.retro_window)
    (taken,), by_rules = await take_in(transaction, [told], owners, programme, window)
    if taken.event is None:
        raise EventMemberNotReadyError("the member is not known here yet, or suspended")
    judged = await judge_member_events(transaction, by_rules, programme, rules, is_preview=True)
    event = settled(taken.event, judged) if taken.is_new else taken.event
    return PreviewedEvent(event, told.kind, judged.awards.get(event.event_id), not taken.is_new)
