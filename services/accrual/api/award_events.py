"""``/v1/receipts/{receipt_id}:release``: what points of a receipt wait for has come, as a partner's system tells it."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.accrual.domain.award_events import ReceiptEarnsNothingError
from services.accrual.repository.award_events import AwardEvent
from services.accrual.schemas.award_events import AwardEventAnswer, AwardEventBody
from services.accrual.use_cases.tell_award_event import tell_award_event
from shared.database import Database, Transaction
from shared.receipt_key import MalformedReceiptIdError, natural_key_of, partner_of
from shared.web import Answer, IdempotencyKey, Principal, idempotent, not_found, problems, requires
from shared.web.answers import Decided
from shared.web.refusals import DomainProblems

AWARD_EVENT_PROBLEMS: DomainProblems = {
    ReceiptEarnsNothingError: (409, "receipt-earns-nothing", "Receipt earns nothing"),
}


def award_events_router(database: Database) -> APIRouter:
    """The route, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["receipts"])

    @router.post(
        "/receipts/{receipt_id}:release",
        response_model=AwardEventAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def release(
        receipt_id: str,
        body: AwardEventBody,
        principal: Annotated[Principal, requires("receipts:release")],
        key: IdempotencyKey,
    ) -> Response:
        """Tell that something has come that points of a receipt wait for, as its rules name it: they may be spent then.

        For the partner's system whose receipt it is. It may be told before the receipt has been decided, or has come.
        Told again it is answered as it stands, under whatever Idempotency-Key; after its last day it changes nothing.
        """
        try:
            natural_key = natural_key_of(receipt_id)
            partner_id = partner_of(natural_key)
        except MalformedReceiptIdError as error:
            raise not_found("receipt") from error
        if not principal.sees(partner_id):
            raise not_found("receipt")

        async def work(transaction: Transaction) -> Decided:
            event = AwardEvent(natural_key, body.event, principal.client_id, transaction.now)
            told = await tell_award_event(transaction, event)
            return Answer(200, AwardEventAnswer.of(natural_key, body.event, told))

        return await idempotent(database, principal, key, body, work)

    return router
