"""``/v1/member-events``: what members did beside buying, told by the sources that each type names."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.accrual.api.member_event_answers import event_preview_answer, event_story_answer
from services.accrual.domain.member_events import (
    EventGaveNothingError,
    EventMemberNotReadyError,
    EventPointsSpentError,
    MemberEventConflictError,
    TypeNotApprovedError,
    UnknownMemberEventError,
    UnusablePayloadError,
)
from services.accrual.programme import Programme, PublishedRules
from services.accrual.schemas.award_events import AwardEventBody, EventReleaseAnswer
from services.accrual.schemas.member_events import (
    EventPreviewAnswer,
    MemberEventAnswer,
    MemberEventBody,
    RevocationBody,
)
from services.accrual.use_cases.preview_member_event import PreviewedEvent, preview_member_event
from services.accrual.use_cases.release_member_event import release_member_event
from services.accrual.use_cases.show_member_event import show_member_event
from services.accrual.use_cases.tell_member_event import revoke_member_event, tell_member_event
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, idempotent, not_found, problems, requires
from shared.web.refusals import DomainProblems

Source = Annotated[Principal, requires("member-events:write")]
Reader = Annotated[Principal, requires("member-events:read")]

MEMBER_EVENT_PROBLEMS: DomainProblems = {
    EventGaveNothingError: (409, "event-gave-nothing", "Event gave nothing"),
    EventPointsSpentError: (409, "points-spent", "Points spent"),
    EventMemberNotReadyError: (409, "member-not-ready", "Member not ready"),
    MemberEventConflictError: (409, "member-event-conflict", "Member event conflict"),
    TypeNotApprovedError: (409, "type-not-approved", "Type not approved"),
    UnknownMemberEventError: (404, "not-found", "Not found"),
    UnusablePayloadError: (422, "unusable-payload", "Unusable payload"),
}
_WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def member_events_router(database: Database, programme: Programme, rules: PublishedRules) -> APIRouter:
    """Tell of events, and that they were undone."""
    router = APIRouter(prefix="/v1", tags=["member events"])

    @router.post("/member-events", status_code=201, response_model=MemberEventAnswer, responses=_WRITE_PROBLEMS)
    async def tell(body: MemberEventBody, principal: Source, key: IdempotencyKey) -> Response:
        """Tell of an event. Its type, its member and the properties of its key make it one, for ever: told again, under
        whatever Idempotency-Key, it is answered as it stands.

        What gives nothing (a limit, a member who has left) is recorded with the reason. A member who is not known here
        yet, or suspended, or whose type nobody has approved yet, is answered with 409: tell of it again later.
        """

        async def work(transaction: Transaction) -> Answer:
            event = await tell_member_event(
                transaction,
                body.type,
                body.member_id,
                body.payload,
                body.occurred_at,
                principal.client_id,
                programme,
                rules,
            )
            return Answer(201, MemberEventAnswer.of(event))

        return await idempotent(database, principal, key, body, work)

    @router.post("/member-events:revoke", response_model=MemberEventAnswer, responses=_WRITE_PROBLEMS)
    async def revoke(body: RevocationBody, principal: Source, key: IdempotencyKey) -> Response:
        """Say that what made an event was undone: its points are taken back, and what is not there any more is owed.

        One that was not told of yet will never give anything.
        """

        async def work(transaction: Transaction) -> Answer:
            event = await revoke_member_event(
                transaction,
                body.type,
                body.member_id,
                body.key,
                body.reason_code,
                principal.client_id,
                programme,
                rules,
            )
            return Answer(200, MemberEventAnswer.of(event))

        return await idempotent(database, principal, key, body, work)

    return router


def member_event_more_router(database: Database, programme: Programme, rules: PublishedRules) -> APIRouter:
    """What an event would give, and what its points waited for."""
    router = APIRouter(prefix="/v1", tags=["member events"])

    @router.post("/member-events:preview", responses=problems(400, 401, 403, 404, 409, 413, 422))
    async def preview(body: MemberEventBody, principal: Source) -> EventPreviewAnswer:
        """What an event would give if it were told now, and why. It has no effect, and needs no Idempotency-Key."""

        async def work(transaction: Transaction) -> PreviewedEvent:
            return await preview_member_event(
                transaction,
                body.type,
                body.member_id,
                body.payload,
                body.occurred_at,
                principal.client_id,
                programme,
                rules,
            )

        return event_preview_answer(await database.read(work), programme.currency)

    @router.post("/member-events/{event_id}:release", response_model=EventReleaseAnswer, responses=_WRITE_PROBLEMS)
    async def release(event_id: UUID, body: AwardEventBody, principal: Source, key: IdempotencyKey) -> Response:
        """Tell that something has come that points of an event wait for, as its rules name it: they may be spent then.

        For the sources of its type. Told again it is answered as it stands; after its last day it changes nothing.
        """

        async def work(transaction: Transaction) -> Answer:
            told = await release_member_event(transaction, event_id, body.event, principal.client_id)
            return Answer(200, EventReleaseAnswer.of(event_id, body.event, told))

        return await idempotent(database, principal, key, body, work)

    return router


def member_event_reading_router(database: Database, programme: Programme, rules: PublishedRules) -> APIRouter:
    """What became of an event, and why."""
    router = APIRouter(prefix="/v1/member-events", tags=["member events"])

    @router.get("/{event_id}", responses=problems(401, 403, 404, 422))
    async def read(event_id: UUID, principal: Reader) -> MemberEventAnswer:
        """One event, with the arithmetic of the type, or of the rules, that judged it."""
        if not principal.sees(None):
            raise not_found("member event")
        async with database.transaction() as transaction:
            story = await show_member_event(transaction, event_id, rules)
        if story is None:
            raise not_found("member event")
        return event_story_answer(story, programme.currency)

    return router
