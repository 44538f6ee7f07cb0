"""``/v1/receipts:preview``: what would become of a receipt, for tills and partners' clients."""

from typing import Annotated

from fastapi import APIRouter

from services.accrual.api.preview_answers import preview_answer
from services.accrual.api.receipts import problem_of
from services.accrual.door import PartnerNotOpenError
from services.accrual.previewing import Previews
from services.accrual.schemas.previews import PreviewAnswer
from services.accrual.schemas.receipts import ReceiptBody
from services.accrual.use_cases.read_document import InvalidDocumentError, Issuer
from shared.web.authorisation import requires
from shared.web.principal import Principal
from shared.web.problems import problems


def previews_router(previews: Previews) -> APIRouter:
    """The route, on this process's rules."""
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

    return router
