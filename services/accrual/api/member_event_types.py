"""``/v1/member-event-types``: what members may do beside buying, declared as data."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import TypeAdapter

from services.accrual.domain.member_event_types import (
    MemberEventDraft,
    OwnTypeError,
    TypeDecidedError,
    TypeNotFoundError,
    TypeWaitsError,
    UnusableSuccessorError,
)
from services.accrual.programme import Programme
from services.accrual.repository import member_event_types
from services.accrual.schemas.member_events import MemberEventTypeAnswer, MemberEventTypeBody
from services.accrual.use_cases.declare_member_event_type import (
    approve_member_event_type,
    declare_member_event_type,
    refuse_member_event_type,
)
from shared.database import Database, Transaction
from shared.rule_sets.answers import ReasonBody
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    not_found,
    problems,
    refuse_partners,
    requires,
)
from shared.web.refusals import DomainProblems
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

TypeCode = Annotated[str, Path(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)]
TypeVersion = Annotated[int, Path(ge=1, le=2**31 - 1)]
Decider = Annotated[Principal, requires("rules:approve")]
MEMBER_EVENT_TYPE_PROBLEMS: DomainProblems = {
    OwnTypeError: (403, "own-type", "Own type"),
    TypeDecidedError: (409, "type-decided", "Type decided"),
    TypeNotFoundError: (404, "not-found", "Not found"),
    TypeWaitsError: (409, "type-waits", "Type waits"),
    UnusableSuccessorError: (409, "unusable-successor", "Unusable successor"),
}
_POSITION = TypeAdapter(tuple[CodeText])


def member_event_types_router(database: Database) -> APIRouter:
    """Declare and read types."""
    router = APIRouter(prefix="/v1/member-event-types", tags=["member events"])

    @router.post(
        "/{code}",
        status_code=201,
        response_model=MemberEventTypeAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def declare(
        code: TypeCode,
        body: MemberEventTypeBody,
        principal: Annotated[Principal, requires("rules:write")],
        key: IdempotencyKey,
    ) -> Response:
        """Declare the type's next version. It counts once a second person has approved it.

        What happened before its time is judged by the version before.
        """
        refuse_partners(principal, "Types of member events are declared")
        draft = MemberEventDraft.model_construct(
            **{name: getattr(body, name) for name in MemberEventDraft.model_fields}
        )

        async def work(transaction: Transaction) -> Answer:
            declared = await declare_member_event_type(
                transaction, code, draft, body.effective_from, principal.client_id
            )
            return Answer(201, MemberEventTypeAnswer.of(declared))

        return await idempotent(database, principal, key, body, work)

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_types(
        _: Annotated[Principal, requires("rules:read")], paging: Paging
    ) -> Page[MemberEventTypeAnswer]:
        """The newest version of each type, by code."""
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            after = position[0] if position is not None else ""
            found = await member_event_types.load_page(transaction, after, paging.limit + 1)
        shown = [MemberEventTypeAnswer.of(kind) for kind in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [shown[-1].code] if shown else [])

    @router.get("/{code}", responses=problems(401, 403, 404, 422))
    async def read(code: TypeCode, _: Annotated[Principal, requires("rules:read")]) -> list[MemberEventTypeAnswer]:
        """Every version of a type, in their order."""
        async with database.transaction() as transaction:
            versions = await member_event_types.load_declared(transaction, code)
        if not versions:
            raise not_found("type of member events")
        return [MemberEventTypeAnswer.of(version) for version in versions]

    return router


def member_event_type_decisions_router(database: Database, programme: Programme) -> APIRouter:
    """What a second person says of a version."""
    router = APIRouter(prefix="/v1/member-event-types", tags=["member events"])
    answers = problems(400, 401, 403, 404, 409, 413, 415, 422)

    @router.post("/{code}/versions/{version}/approve", response_model=MemberEventTypeAnswer, responses=answers)
    async def approve(code: TypeCode, version: TypeVersion, principal: Decider, key: IdempotencyKey) -> Response:
        """Let a version count. Whoever declared it may not."""
        refuse_partners(principal, "Types of member events are declared")

        async def work(transaction: Transaction) -> Answer:
            approved = await approve_member_event_type(transaction, code, version, principal.client_id, programme)
            return Answer(200, MemberEventTypeAnswer.of(approved))

        return await idempotent(database, principal, key, None, work)

    @router.post("/{code}/versions/{version}/refuse", response_model=MemberEventTypeAnswer, responses=answers)
    async def refuse(
        code: TypeCode, version: TypeVersion, body: ReasonBody, principal: Decider, key: IdempotencyKey
    ) -> Response:
        """Say that a version never counts, and why. Whoever declared it may not; another version may be declared."""
        refuse_partners(principal, "Types of member events are declared")

        async def work(transaction: Transaction) -> Answer:
            refused = await refuse_member_event_type(transaction, code, version, principal.client_id, body.reason)
            return Answer(200, MemberEventTypeAnswer.of(refused))

        return await idempotent(database, principal, key, body, work)

    return router
