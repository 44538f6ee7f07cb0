"""Takes in that something has come for which points of a member event wait."""

from uuid import UUID

from services.accrual.domain.award_events import Told
from services.accrual.domain.member_events import EventGaveNothingError, UnknownMemberEventError
from services.accrual.repository import awards, member_event_types, member_events
from services.accrual.repository.award_events import AwardEvent
from services.accrual.use_cases.lock_owners import lock_owners
from services.accrual.use_cases.tell_award_event import tell_of_award
from shared.database import Transaction


async def release_member_event(transaction: Transaction, event_id: UUID, what: str, source: str) -> Told:
    """Release what waits for it; what it comes too late for stays as time has settled it, or will. Idempotent.

    For the sources of the event's type. Holds the member, then the award, to the commit.

    Raises:
        UnknownMemberEventError: there is no such event, or it is not this source's.
        EventGaveNothingError: rules gave nothing for it, or it was undone: nothing of it waits, or ever will.
        StartAgainError: the member was merged away while we waited for its row.
    """
    event = await member_events.find(transaction, event_id)
    versions = [] if event is None else await member_event_types.load_versions(transaction, event.type_code)
    if event is None or not versions or source not in versions[-1].sources:
        raise UnknownMemberEventError("there is no such event that is yours to tell of")
    await lock_owners(transaction, [event.member_id])
    award = (await awards.lock_awards(transaction, [event.award])).get(event.award)
    if award is None or award.voided_by is not None or not award.parts:
        raise EventGaveNothingError("rules gave nothing for the event, or it was undone: nothing waits")
    return await tell_of_award(transaction, AwardEvent(event.award, what, source, transaction.now), award)
