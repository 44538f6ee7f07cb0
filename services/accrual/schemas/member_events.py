"""What HTTP says of member events and of their types."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.accrual.domain.member_event_types import (
    PROPERTIES_MAX,
    DeclaredType,
    MemberEventDraft,
    PayloadValue,
    TypeState,
)
from services.accrual.domain.member_events import EventRefusal, EventState, MemberEvent
from services.accrual.schemas.previews import PreviewPartAnswer
from services.accrual.schemas.receipts import AwardPartAnswer, OutcomeAnswer
from shared.web import AwareTime, Body, CodeText

Payload = Annotated[
    dict[CodeText, PayloadValue],
    Field(max_length=PROPERTIES_MAX, description="As the type declares it: codes, whole numbers, yes and no."),
]


class MemberEventTypeBody(MemberEventDraft):
    """A type of events, and from when on this version of it counts (absent: from now on)."""

    effective_from: AwareTime | None = None


class MemberEventBody(Body):
    """What a member did."""

    type: CodeText
    member_id: UUID
    occurred_at: AwareTime
    payload: Payload = Field(default_factory=dict)


class RevocationBody(Body):
    """Which event was undone, by what makes it one, and why."""

    type: CodeText
    member_id: UUID
    key: Payload = Field(default_factory=dict, description="The properties that the type's key names.")
    reason_code: CodeText


class MemberEventTypeAnswer(BaseModel):
    """A version of a type, who declared it, and who let it count or not. ``declared`` is what it says."""

    model_config = ConfigDict(frozen=True)

    code: str
    version: int
    effective_from: datetime
    declared: dict[str, Any]
    state: TypeState
    declared_by: str
    declared_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None

    @classmethod
    def of(cls, one: DeclaredType) -> Self:
        """The answer for a version."""
        kind = one.kind
        return cls(
            code=kind.code,
            version=kind.version,
            effective_from=kind.effective_from,
            declared=kind.model_dump(mode="json", by_alias=True, exclude={"code", "version", "effective_from"}),
            state=one.state,
            declared_by=one.declared_by,
            declared_at=one.declared_at,
            decided_by=one.decided_by,
            decided_at=one.decided_at,
            reason=one.reason,
        )


class EventAwardAnswer(BaseModel):
    """What rules gave for an event: by which version, part by part as they stand, and what each rule made of it.

    ``trace`` is absent once what the event said was forgotten with the person.
    """

    model_config = ConfigDict(frozen=True)

    rule_set_version: int
    parts: list[AwardPartAnswer]
    trace: list[OutcomeAnswer] | None


class EventPreviewAnswer(BaseModel):
    """What an event would give if it were told now; of one that was told before, what it gave. Nothing was recorded."""

    model_config = ConfigDict(frozen=True)

    state: EventState
    refused_because: EventRefusal | None
    was_told: bool
    point_type: str
    points: int
    rule_set_version: int | None
    parts: list[PreviewPartAnswer]
    trace: list[OutcomeAnswer] | None
    trace_in_words: list[str]


class MemberEventAnswer(BaseModel):
    """An event as it stands: what it gave, or why it gave nothing, or what was taken back when it was undone.

    ``points`` are the programme's own; ``award`` says more where rules decided, when the event is asked for by its id.
    ``clipped`` points were to be taken back besides, and were not there: nobody owes them.
    """

    model_config = ConfigDict(frozen=True)

    event_id: UUID
    type: str
    type_version: int
    member_id: UUID
    state: EventState
    refused_because: EventRefusal | None
    payload: dict[str, Any]
    occurred_at: datetime
    recorded_by: str
    recorded_at: datetime
    point_type: str
    points: int
    basis: str
    available_from: date | None
    expires_on: date | None
    became_debt: int
    revoked_by: str | None
    revoked_at: datetime | None
    revoke_reason: str | None
    clipped: int
    award: EventAwardAnswer | None
    trace_in_words: list[str]

    @classmethod
    def of(
        cls, event: MemberEvent, award: EventAwardAnswer | None = None, trace_in_words: list[str] | None = None
    ) -> Self:
        """The answer for an event."""
        return cls(
            event_id=event.event_id,
            type=event.type_code,
            type_version=event.type_version,
            member_id=event.member_id,
            state=event.state,
            refused_because=event.refusal,
            payload=dict(event.payload),
            occurred_at=event.occurred_at,
            recorded_by=event.recorded_by,
            recorded_at=event.recorded_at,
            point_type=event.point_type,
            points=event.points,
            basis=event.basis,
            available_from=event.available_from,
            expires_on=event.expires_on,
            became_debt=event.became_debt,
            revoked_by=event.revoked_by,
            revoked_at=event.revoked_at,
            revoke_reason=event.revoke_reason,
            clipped=event.clipped,
            award=award,
            trace_in_words=trace_in_words or [],
        )
