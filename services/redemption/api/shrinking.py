"""Let a part of what is reserved go."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.redemption.programme import Programme
from services.redemption.schemas.balances import BalanceAnswer
from services.redemption.schemas.redemptions import ShrinkBody, VoidedAnswer
from services.redemption.use_cases.shrink_hold import shrink_hold
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, requires

Writer = Annotated[Principal, requires("redemptions:write")]


def shrinking_router(database: Database, programme: Programme) -> APIRouter:
    """Making a hold smaller, as an order is."""
    router = APIRouter(prefix="/v1/redemptions", tags=["redemptions"])

    @router.post(
        "/{redemption_id}/shrink",
        response_model=VoidedAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def shrink(redemption_id: UUID, body: ShrinkBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Keep ``points`` of what is reserved, and let the rest go: lines of an order were cancelled. Said by what
        stays, so that the same again lets nothing more go."""

        async def work(transaction: Transaction) -> Answer:
            shrunk = await shrink_hold(
                transaction, principal, redemption_id, body.points, came_back_days=programme.came_back_days
            )
            answer = VoidedAnswer.of(
                shrunk.redemption,
                programme.point_types,
                released_points=shrunk.points,
                balance=BalanceAnswer.of(shrunk.balance),
            )
            return Answer(200, answer)

        return await idempotent(database, principal, key, body, work)

    return router
