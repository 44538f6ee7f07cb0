"""``/v1/receipts:preview``, ``/v1/baskets:preview`` and ``/v1/returns:preview``: what would become of a receipt, posted
or not yet made, and of a return."""

from typing import Annotated

from fastapi import APIRouter

from services.accrual.api.preview_answers import basket_answer, preview_answer
from services.accrual.api.receipts import problem_of
from services.accrual.door import PartnerNotOpenError
from services.accrual.previewing import Previews
from services.accrual.schemas.asked_returns import ReturnPreviewAnswer, ReturnPreviewBody
from services.accrual.schemas.baskets import BasketAnswer, BasketBody
from services.accrual.schemas.documents import ReceiptBody
from services.accrual.schemas.previews import PreviewAnswer
from services.accrual.use_cases.read_document import InvalidDocumentError, Issuer
from shared.clock import BusinessClock
from shared.receipt_key import MalformedReceiptIdError, natural_key_of, partner_of
from shared.web.authorisation import requires
from shared.web.principal import Principal
from shared.web.problems import invalid_field, problems


def previews_router(previews: Previews, clock: BusinessClock) -> APIRouter:
    """The routes, on this process's rules."""
    router = APIRouter(prefix="/v1", tags=["receipts"])

    @router.post(
        "/receipts:preview",
        response_model=PreviewAnswer,
        response_model_exclude_none=True,
        responses=problems(400, 401, 403, 413, 422),
    )
    async def preview(body: ReceiptBody, principal: Annotated[Principal, requires("receipts:write")]) -> PreviewAnswer:
        """What would become of a receipt if it were posted now, and why. No effect, and no Idempotency-Key needed.

        What a purchase would earn; what a return would take back, by line, or a void. The same decision as the
        worker's, on what is known here now. A purchase that was posted before is judged as if it had not been; what
        came back before stands.
        """
        try:
            previewed = await previews.preview(
                body, Issuer(principal.partner_id, principal.store_id, principal.till_id)
            )
        except (InvalidDocumentError, PartnerNotOpenError) as error:
            raise problem_of(error) from error
        return preview_answer(previewed, previews.programme)

    @router.post(
        "/baskets:preview",
        response_model=BasketAnswer,
        response_model_exclude_none=True,
        responses=problems(400, 401, 403, 413, 422),
    )
    async def preview_basket(
        body: BasketBody, principal: Annotated[Principal, requires("baskets:preview")]
    ) -> BasketAnswer:
        """What goods would earn if they were paid now with money alone, before there is a receipt of them. No effect.

        The same decision as of ``POST /v1/receipts:preview``, for services that answer a till.
        """
        issuer = Issuer(principal.partner_id, principal.store_id, principal.till_id)
        try:
            previewed = await previews.preview(body.as_purchase(clock.now()), issuer, has_key=False)
        except (InvalidDocumentError, PartnerNotOpenError) as error:
            raise problem_of(error) from error
        return basket_answer(previewed, previews.programme)

    @router.post(
        "/returns:preview",
        response_model=ReturnPreviewAnswer,
        response_model_exclude_none=True,
        responses=problems(400, 401, 403, 413, 422),
    )
    async def preview_return(
        body: ReturnPreviewBody, principal: Annotated[Principal, requires("returns:preview")]
    ) -> ReturnPreviewAnswer:
        """What goods of a receipt would take of points if they came back now, by line and type, and what of that the
        balance lacks. No effect.

        For services that answer a till: they say which points the return gives back. It needs no till, no card and no
        amounts; whose points are taken the purchase says.
        """
        del principal
        try:
            original_key = natural_key_of(body.original_receipt_id)
            partner_of(original_key)
        except MalformedReceiptIdError as error:
            raise invalid_field("/original_receipt_id", str(error)) from None
        previewed = await previews.preview_return(original_key, body.lines_asked(), body.coming_back())
        return ReturnPreviewAnswer.of(previewed)

    return router
