"""Who may join, declared by the programme; and the codes by which members bring friends."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.domain.joining import NO_CONDITIONS, DeclaredConditions, JoiningConditions
from services.members.repository import joining
from services.members.schemas.joining import ConditionsAnswer, ReferralCodeAnswer
from services.members.use_cases.give_referral_code import give_referral_code
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, refuse_partners, requires

Declarer = Annotated[Principal, requires("declarations:write")]
Writer = Annotated[Principal, requires("members:write")]
Reader = Annotated[Principal, requires("members:read")]


def joining_router(database: Database) -> APIRouter:
    """Conditions of joining, and referral codes."""
    router = APIRouter(prefix="/v1", tags=["joining"])

    @router.get("/joining-conditions", responses=problems(401, 403))
    async def read_conditions(_: Reader) -> ConditionsAnswer:
        """What must be true of whoever joins now."""
        async with database.transaction() as transaction:
            declared = await joining.load_conditions(transaction)
        if declared is None:
            return ConditionsAnswer(version=0, conditions=NO_CONDITIONS, declared_by=None, declared_at=None)
        return ConditionsAnswer.of(declared)

    @router.post(
        "/joining-conditions",
        status_code=201,
        response_model=ConditionsAnswer,
        responses=problems(400, 401, 403, 409, 413, 415, 422),
    )
    async def declare(body: JoiningConditions, principal: Declarer, key: IdempotencyKey) -> Response:
        """Declare conditions in place of those that counted until now. They hold for whoever joins from now on."""
        refuse_partners(principal, "Who may join is declared")

        async def work(transaction: Transaction) -> Answer:
            version = await joining.declare_conditions(transaction, body, principal.client_id)
            declared = DeclaredConditions(version, body, principal.client_id, transaction.now)
            return Answer(201, ConditionsAnswer.of(declared))

        return await idempotent(database, principal, key, body, work)

    @router.post(
        "/members/{member_id}/referral-code",
        response_model=ReferralCodeAnswer,
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def code(member_id: UUID, principal: Writer, key: IdempotencyKey) -> Response:
        """The code by which the member brings friends; made when it is first asked for, and the same ever after."""

        async def work(transaction: Transaction) -> Answer:
            given = await give_referral_code(transaction, member_id)
            return Answer(200, ReferralCodeAnswer(member_id=member_id, referral_code=given))

        return await idempotent(database, principal, key, None, work)

    return router
