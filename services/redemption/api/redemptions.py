"""Take what is reserved, and let it go; read it."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.redemption import metrics
from services.redemption.programme import Programme
from services.redemption.schemas.balances import BalanceAnswer
from services.redemption.schemas.redemptions import (
    CaptureAnswer,
    CaptureBody,
    CapturedAnswer,
    RedemptionDetailAnswer,
    VoidedAnswer,
)
from services.redemption.use_cases.capture_hold import Captured, capture_hold
from services.redemption.use_cases.capture_together import CaptureAsked, capture_together
from services.redemption.use_cases.read_redemption import read_redemption
from services.redemption.use_cases.void_hold import void_hold
from shared.database import Database, Transaction
from shared.telemetry.trace_context import current_traceparent
from shared.web import (
    Answer,
    IdempotencyKey,
    Left,
    Principal,
    Shared,
    Sharing,
    idempotent,
    problems,
    requires,
)

Writer = Annotated[Principal, requires("redemptions:write")]
Reader = Annotated[Principal, requires("redemptions:read")]


def reading_router(database: Database, programme: Programme) -> APIRouter:
    """Reading what was reserved."""
    router = APIRouter(prefix="/v1/redemptions", tags=["redemptions"])

    @router.get("/{redemption_id}", responses=problems(401, 403, 404, 422))
    async def read(redemption_id: UUID, principal: Reader) -> RedemptionDetailAnswer:
        """A redemption as it stands, and what receipts took of it."""
        async with database.transaction() as transaction:
            redemption, captures = await read_redemption(transaction, principal, redemption_id)
        captured = [CaptureAnswer.of(capture) for capture in captures]
        return RedemptionDetailAnswer.of(redemption, programme.point_types, captures=captured)

    return router


def sharing_captures(database: Database, programme: Programme) -> Sharing[CaptureAsked]:
    """Lets captures share transactions: those of one redemption wait for one another alone."""

    async def work(transaction: Transaction, asked: Sequence[CaptureAsked], *, waits: bool) -> list[Shared]:
        days = programme.came_back_days
        taken = await capture_together(transaction, asked, came_back_days=days, waits=waits)
        return [one if isinstance(one, Left) else _captured(one, programme) for one in taken]

    return Sharing(database, work, lambda one: one.redemption_id)


def settling_router(database: Database, programme: Programme, sharing: Sharing[CaptureAsked]) -> APIRouter:
    """Taking what is reserved, or letting it go."""
    router = APIRouter(prefix="/v1/redemptions", tags=["redemptions"])

    @router.post(
        "/{redemption_id}/capture",
        response_model=CapturedAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
    )
    async def capture(redemption_id: UUID, body: CaptureBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Take reserved points for a receipt. A receipt that has captured before changes nothing, whichever way it
        came first; what it took is answered."""
        exceptions: list[str] = []

        async def work(transaction: Transaction) -> Answer:
            captured = await capture_hold(
                transaction,
                principal,
                redemption_id,
                body.receipt,
                body.points,
                more=body.more,
                came_back_days=programme.came_back_days,
            )
            exceptions[:] = captured.exceptions
            return _captured(captured, programme)

        response: Response | None = None
        if principal.partner_id is not None:  # else the redemption says first which partner's receipt it is
            asked = CaptureAsked(
                principal.partner_id, redemption_id, body.receipt, body.points, body.more, current_traceparent()
            )
            response = await sharing.answer(principal, key, body, asked)
        if response is None:
            response = await idempotent(database, principal, key, body, work, is_hot=True)
        for kind in exceptions:
            metrics.EXCEPTIONS.labels(kind).inc()
        return response

    @router.post(
        "/{redemption_id}/void",
        response_model=VoidedAnswer,
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def void(redemption_id: UUID, principal: Writer, key: IdempotencyKey) -> Response:
        """Let reserved points go. A partner's till may void an id whose hold has not come yet: it is refused then."""

        async def work(transaction: Transaction) -> Answer:
            voided = await void_hold(
                transaction,
                principal,
                redemption_id,
                programme.point_type,
                came_back_days=programme.came_back_days,
            )
            answer = VoidedAnswer.of(
                voided.redemption,
                programme.point_types,
                released_points=voided.points,
                balance=None if voided.balance is None else BalanceAnswer.of(voided.balance),
            )
            return Answer(200, answer)

        return await idempotent(database, principal, key, None, work, is_hot=True)

    return router


def _captured(captured: Captured, programme: Programme) -> Answer:
    answer = CapturedAnswer.of(
        captured.redemption,
        programme.point_types,
        capture=CaptureAnswer.of(captured.capture),
        balance=BalanceAnswer.of(captured.balance),
    )
    return Answer(200, answer)
