"""``/v1/member-event-types``: what members may do beside buying, declared as data."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import TypeAdapter

from services.accrual.domain.member_event_types import MemberEventDraft
from services.accrual.programme import Programme
from services.accrual.repository import member_event_types
from services.accrual.schemas.member_events import MemberEventTypeAnswer, MemberEventTypeBody
from services.accrual.use_cases.declare_member_event_type import declare_member_event_type
from shared.database import Database, Transaction
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
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

TypeCode = Annotated[str, Path(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)]
_POSITION = TypeAdapter(tuple[CodeText])


def member_event_types_router(database: Database, programme: Programme) -> APIRouter:
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
        """Declare the type's next version; what happened before it counts is judged by the one before."""
        refuse_partners(principal, "Types of member events are declared")
        draft = MemberEventDraft.model_construct(
            **{name: getattr(body, name) for name in MemberEventDraft.model_fields}
        )

        async def work(transaction: Transaction) -> Answer:
            declared = await declare_member_event_type(
                transaction, code, draft, body.effective_from, principal.client_id, programme
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
            versions = await member_event_types.load_versions(transaction, code)
        if not versions:
            raise not_found("type of member events")
        return [MemberEventTypeAnswer.of(version) for version in versions]

    return router
