"""What the registry tells of households."""

from datetime import datetime
from uuid import UUID

from services.members.domain.households import Household
from services.members.domain.registry import Member
from services.members.use_cases.announcements import SOURCE
from shared.events.catalogue import MEMBERS
from shared.events.members import HouseholdChanged, HouseholdData, HouseholdLeaver, HouseholdMember
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent


def leaver_of(member: Member, heir_id: UUID, at: datetime) -> HouseholdLeaver:
    """Who left, as the member stands just after it, and with whom what the member had stays."""
    return HouseholdLeaver(member_id=member.member_id, member_version=member.version, heir_id=heir_id, left_at=at)


def household_changed(household: Household, at: datetime, leaver: HouseholdLeaver | None = None) -> Message:
    """The household as it stands at its version; it travels under its own id."""
    event = HouseholdChanged(
        id=new_id(),
        source=SOURCE,
        subject=str(household.household_id),
        time=at,
        traceparent=child_traceparent(current_traceparent()),
        data=HouseholdData(
            household_id=household.household_id,
            version=household.version,
            members=tuple(
                HouseholdMember(
                    member_id=place.member_id,
                    contributes=place.rights.contributes,
                    may_spend=place.rights.may_spend,
                    shows_purchases=place.rights.shows_purchases,
                )
                for place in household.places
            ),
            leaver=leaver,
        ),
    )
    return Message.of(event, MEMBERS.topic, event.subject)
