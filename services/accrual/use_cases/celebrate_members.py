"""Events that nobody posts: who enrols is welcomed, who brought somebody is thanked, days of the year are kept."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from services.accrual.domain.member_event_types import MemberEventType, in_force_at
from services.accrual.domain.member_events import begin_of, days_kept_on
from services.accrual.domain.standing import STANDINGS, Earns
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import member_days, member_event_types
from services.accrual.repository.member_event_types import DueDay
from services.accrual.use_cases.project_members import enrolment_times
from services.accrual.use_cases.record_member_events import Told, record_member_events
from shared.database import Transaction
from shared.events.members import MemberEnrolled, MemberEvent, MemberStated

# Members stay locked while a page of them is celebrated.
MEMBERS_PER_PAGE = 100
BY = "accrual"
_EARNING = tuple(status for status, standing in STANDINGS.items() if isinstance(standing, Earns))


async def take_in_enrolments(
    transaction: Transaction, events: Sequence[MemberEvent], programme: Programme, rules: PublishedRules
) -> int:
    """Keep birthdays and days of enrolment, and record the events that an enrolment makes; how many gave something.

    In the transaction that projects the same events, after it: a member is welcomed once for ever, whatever is
    replayed. What a type of events gives is what it gave when the member enrolled.
    """
    stated = [event.data for event in events if isinstance(event, MemberStated)]
    enrolments = [event for event in events if isinstance(event, MemberEnrolled)]
    if stated:
        times = enrolment_times(events)
        joined = {member_id: moment.astimezone(programme.zone).date() for member_id, moment in times.items()}
        await member_days.save(transaction, stated, joined)
    if not enrolments:
        return 0
    versions: dict[str, list[MemberEventType]] = {}
    for version in await member_event_types.load_triggered(transaction, ("enrolment", "referral")):
        versions.setdefault(version.code, []).append(version)
    told = [each for code, some in versions.items() for event in enrolments for each in _told_of(code, some, event)]
    if not told:
        return 0
    taken = await record_member_events(transaction, told, programme, rules, None)
    return sum(each.is_new for each in taken)


def _told_of(code: str, versions: Sequence[MemberEventType], enrolment: MemberEnrolled) -> list[Told]:
    kind = in_force_at(versions, enrolment.time)
    if kind is None or not kind.is_active:
        return []
    data = enrolment.data
    if kind.trigger == "enrolment":
        return [Told(code, kind, data.member_id, {}, {}, enrolment.time, BY)]
    if data.referred_by is None or data.referred_by == data.member_id:
        return []
    return [Told(code, kind, data.referred_by, {"referred": str(data.member_id)}, {}, enrolment.time, BY)]


async def celebrate_due_day(transaction: Transaction, programme: Programme, rules: PublishedRules) -> bool:
    """Go through a page of members for the earliest day that is due; False where none is.

    Days come in order, also after an outage, and each to its end. Safe to cut off and to repeat: how far it has come is
    written with the events, and an event of a year is one for ever.
    """
    today = transaction.now.astimezone(programme.zone).date()
    due = await member_event_types.lock_due_day(transaction, today)
    if due is None:
        return False
    begins = begin_of(due.day, programme.zone)
    kind = in_force_at(await member_event_types.load_versions(transaction, due.type_code), begins)
    members = [] if kind is None or not kind.is_active else await _members_of(transaction, kind, due)
    if members:
        year = {"year": due.day.year}
        told = [Told(due.type_code, kind, member_id, year, {}, begins, BY) for member_id in members]
        await record_member_events(transaction, told, programme, rules, None)
    is_over = len(members) < MEMBERS_PER_PAGE
    moved = due._replace(day=_next(due.day), after_member=None) if is_over else due._replace(after_member=members[-1])
    await member_event_types.move_on(transaction, moved)
    return True


async def _members_of(transaction: Transaction, kind: MemberEventType, due: DueDay) -> list[UUID]:
    days = days_kept_on(due.day)
    if kind.trigger == "birthday":
        return await member_days.find_born(transaction, days, _EARNING, due.after_member, MEMBERS_PER_PAGE)
    first = due.day.replace(month=1, day=1)
    return await member_days.find_joined(transaction, days, _EARNING, due.after_member, MEMBERS_PER_PAGE, first)


def _next(day: date) -> date:
    return day + timedelta(days=1)
