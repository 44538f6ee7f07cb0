"""``POST /v1/redemptions/{id}/refund``: points go back for a return, because a till asks for it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.redemption import metrics
from services.redemption.api.refusals import RETRY_AFTER_SECONDS
from services.redemption.domain.errors import ReceiptUnreadError
from services.redemption.domain.refunding import (
    GoodsExchangedError,
    NothingCapturedError,
    OverpaidRefundError,
    RefundOfVoidedError,
    ReturnOfAnotherError,
)
from services.redemption.domain.return_quote import NotBoughtError
from services.redemption.programme import Programme
from services.redemption.schemas.refunds import RefundBody, RefundedAnswer
from services.redemption.use_cases.refund_points import refund_points
from services.redemption.use_cases.settle_returns import ReturnReport
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, Problem, idempotent, invalid_field, problems, requires

REFUND_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    RefundOfVoidedError: (409, "receipt-voided", "Receipt voided"),
    GoodsExchangedError: (409, "goods-exchanged", "Goods exchanged"),
    ReturnOfAnotherError: (409, "return-of-another", "Return of another"),
}


def refunds_router(database: Database, programme: Programme) -> APIRouter:
    """Giving back what a receipt took."""
    router = APIRouter(prefix="/v1/redemptions", tags=["redemptions"])

    @router.post(
        "/{redemption_id}/refund",
        response_model=RefundedAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def refund(
        redemption_id: UUID,
        body: RefundBody,
        principal: Annotated[Principal, requires("redemptions:write")],
        key: IdempotencyKey,
    ) -> Response:
        """Give ``points`` of what a receipt took back for a return, or what had paid for its ``lines``, to the lots
        that they came from. Once for a return, whether this or its document comes first; what went back is answered.

        Lines give back what all redemptions of the receipt had paid for these goods, as the return's document does.
        """
        reports: list[ReturnReport] = []

        async def work(transaction: Transaction) -> Answer:
            try:
                refunded = await refund_points(transaction, principal, redemption_id, body.wanted(), programme)
            except (NothingCapturedError, ReceiptUnreadError, OverpaidRefundError, NotBoughtError) as error:
                raise _problem(error, body) from None
            reports[:] = [refunded.report]
            return Answer(200, RefundedAnswer.of_refund(refunded, programme.point_types))

        response = await idempotent(database, principal, key, body, work)
        for report in reports:  # a replayed answer did nothing
            metrics.REFUNDED_POINTS.inc(report.refunded_points)
            for kind in report.exceptions:
                metrics.EXCEPTIONS.labels(kind).inc()
        return response

    return router


def _problem(
    error: NothingCapturedError | ReceiptUnreadError | OverpaidRefundError | NotBoughtError, body: RefundBody
) -> Problem:
    soon = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    match error:
        case NothingCapturedError():
            return Problem(409, "nothing-captured", f"Nothing was given back: {error}.", headers=soon)
        case ReceiptUnreadError():
            return Problem(409, "receipt-not-read-yet", f"Nothing was given back: {error}.", headers=soon)
        case OverpaidRefundError():
            left = {"refundable_points": error.refundable_points}
            headers = soon if error.may_pass else {}
            return Problem(
                409, "overpaid-refund", f"Nothing was given back: {error}.", headers=headers, extensions=left
            )
        case NotBoughtError():
            place = next(place for place, line in enumerate(body.lines or ()) if line.line_id == error.line_id)
            if error.left_thousandths is None:
                return invalid_field(f"/lines/{place}/line_id", "the receipt has no such line")
            left_of_it = f"{error.left_thousandths / 1000:g} of it are left to come back"
            return invalid_field(f"/lines/{place}/quantity", left_of_it)
