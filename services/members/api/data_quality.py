"""How well members are known, for the programme's own clients. No answer holds a personal value."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter

from services.members.schemas.data_quality import (
    CheckAnswer,
    CheckBody,
    QualityAnswer,
    ReportAnswer,
    RulesAnswer,
    RulesBody,
)
from services.members.use_cases.check_field import ToldCheck, check_field
from services.members.use_cases.present_member import present_id
from services.members.use_cases.read_data_quality import (
    declare_rules,
    read_quality,
    read_queue,
    read_report,
    read_rules,
)
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.web import Answer, IdempotencyKey, Page, Paging, Principal, idempotent, problems, refuse_partners, requires

Declarer = Annotated[Principal, requires("declarations:write")]
Writer = Annotated[Principal, requires("members:write")]
Reader = Annotated[Principal, requires("members:read")]

_POSITION = TypeAdapter(tuple[Annotated[int, Field(ge=0, le=100)], UUID])
_SHOWN = "Data quality is shown"


def quality_router(database: Database) -> APIRouter:
    """All members: what counts, how they stand, whom to ask first."""
    router = APIRouter(prefix="/v1/data-quality", tags=["data quality"])

    @router.get("", responses=problems(401, 403))
    async def report(principal: Reader) -> ReportAnswer:
        """The distribution of scores, and how many members need which repair."""
        refuse_partners(principal, _SHOWN)
        return ReportAnswer.of(await read_report(database))

    @router.get("/queue", responses=problems(400, 401, 403, 422))
    async def queue(principal: Reader, paging: Paging) -> Page[QualityAnswer]:
        """Members of whom something can be repaired, the worst first, with what to repair."""
        refuse_partners(principal, _SHOWN)
        found = await read_queue(database, position=paging.position(_POSITION), rows_max=paging.limit + 1)
        shown = [QualityAnswer.of(*each) for each in found[: paging.limit]]
        position = [each for answer in shown[-1:] for each in (answer.score_percent, answer.member_id)]
        return Page.of(found, paging.limit, shown, position)

    @router.get("/rules", responses=problems(401, 403))
    async def rules(principal: Reader) -> RulesAnswer:
        """What counts now."""
        refuse_partners(principal, _SHOWN)
        async with database.transaction() as transaction:
            return RulesAnswer.of(await read_rules(transaction))

    @router.put("/rules", responses=problems(400, 401, 403, 413, 415, 422))
    async def declare(body: RulesBody, principal: Declarer) -> RulesAnswer:
        """Declare what counts from now on; what counted before is kept."""
        refuse_partners(principal, "What counts is declared")
        declared = body.rules()
        await database.run(lambda transaction: declare_rules(transaction, declared, principal.client_id))
        return RulesAnswer.of(declared)

    return router


def member_quality_router(database: Database) -> APIRouter:
    """One member: how it stands, and what was found out."""
    router = APIRouter(prefix="/v1/members/{member_id}", tags=["data quality"])

    @router.get("/data-quality", responses=problems(401, 403, 404, 422))
    async def read(member_id: UUID, principal: Reader) -> QualityAnswer:
        """A member's score in percent, and what would raise it."""
        refuse_partners(principal, _SHOWN)
        async with database.transaction() as transaction:
            present = await present_id(transaction, member_id)
            return QualityAnswer.of(present, await read_quality(transaction, present))

    @router.post(
        "/field-checks",
        status_code=201,
        response_model=CheckAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def check(member_id: UUID, body: CheckBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Record that a value was found to be right or wrong: a code came back, mail bounced, a letter returned."""
        refuse_partners(principal, "Checks are recorded")
        told = ToldCheck(
            check_id=new_id(),
            member_id=member_id,
            field=body.field,
            outcome=body.outcome,
            source=body.source,
            checked_at=body.checked_at,
            recorded_by=principal.client_id,
        )

        async def work(transaction: Transaction) -> Answer:
            return Answer(201, CheckAnswer.of(*await check_field(transaction, told)))

        return await idempotent(database, principal, key, body, work)

    return router
