"""``/v1/member-events``: what members did beside buying, told by the sources that each type names."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.accrual.domain.member_event_types import MemberEventType
from services.accrual.domain.member_events import (
    EventMemberNotReadyError,
    MemberEvent,
    MemberEventConflictError,
    UnknownMemberEventError,
    UnusablePayloadError,
    UnusableSuccessorError,
)
from services.accrual.programme import Programme
from services.accrual.repository import member_event_types, member_events
from services.accrual.schemas.member_events import MemberEventAnswer, MemberEventBody, RevocationBody
from services.accrual.use_cases.tell_member_event import revoke_member_event, tell_member_event
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, idempotent, not_found, problems, requires
from shared.web.refusals import DomainProblems

Source = Annotated[Principal, requires("member-events:write")]
Reader = Annotated[Principal, requires("member-events:read")]

MEMBER_EVENT_PROBLEMS: DomainProblems = {
    EventMemberNotReadyError: (409, "member-not-ready", "Member not ready"),
    MemberEventConflictError: (409, "member-event-conflict", "Member event conflict"),
    UnknownMemberEventError: (404, "not-found", "Not found"),
    UnusablePayloadError: (422, "unusable-payload", "Unusable payload"),
    UnusableSuccessorError: (409, "unusable-successor", "Unusable successor"),
}
_WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)
_REFUSED = {
    "limit_reached": "the member has had as many of these in the period as give points",
    "not_in_force": "the type did not count then",
    "too_late": "it was told too late",
    "member_closed": "the member has left the programme",
    "member_erased": "the member's data were erased",
}


def member_events_router(database: Database, programme: Programme) -> APIRouter:
    """Tell of events, and that they were undone."""
    router = APIRouter(prefix="/v1", tags=["member events"])

    @router.post("/member-events", status_code=201, response_model=MemberEventAnswer, responses=_WRITE_PROBLEMS)
    async def tell(body: MemberEventBody, principal: Source, key: IdempotencyKey) -> Response:
        """Tell of an event. Its type, its member and the properties of its key make it one, for ever: told again, under
        whatever Idempotency-Key, it is answered as it stands.

        What gives nothing (a limit, a member who has left) is recorded with the reason. A member who is not known here
        yet, or suspended, is answered with 409: tell of it again later.
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
            )
            return Answer(200, MemberEventAnswer.of(event))

        return await idempotent(database, principal, key, body, work)

    return router


def member_event_reading_router(database: Database) -> APIRouter:
    """What became of an event, and why."""
    router = APIRouter(prefix="/v1/member-events", tags=["member events"])

    @router.get("/{event_id}", responses=problems(401, 403, 404, 422))
    async def read(event_id: UUID, principal: Reader) -> MemberEventAnswer:
        """One event, with the arithmetic of the version that judged it."""
        if not principal.sees(None):
            raise not_found("member event")
        async with database.transaction() as transaction:
            event = await member_events.find(transaction, event_id)
            if event is None:
                raise not_found("member event")
            versions = await member_event_types.load_versions(transaction, event.type_code)
        kind = next((version for version in versions if version.version == event.type_version), None)
        return MemberEventAnswer.of(event, _trace(event, kind))

    return router


def _trace(event: MemberEvent, kind: MemberEventType | None) -> list[str]:
    words: list[str] = []
    if event.state != "refused" and event.available_from is not None and kind is not None:
        if event.payload or not kind.payload.required:  # of an erased person nothing is left to count
            words.append(kind.in_words(dict(event.payload)))
        words.append(f"In all: {event.points} points.")
    if event.refusal is not None:
        words.append(f"Nothing: {_REFUSED[event.refusal]}.")
    if event.state == "revoked":
        words.append(
            f"Undone ({event.revoke_reason}): {event.points} points taken back, {event.became_debt} of them owed."
        )
    return words
