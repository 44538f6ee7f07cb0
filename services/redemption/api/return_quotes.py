"""``POST /v1/returns:quote``: what is paid back for goods, in money and in points, and what they take of points."""

from typing import Annotated

from fastapi import APIRouter

from services.redemption.api.reading import at_partner
from services.redemption.api.refusals import goods_unknown_now
from services.redemption.domain.errors import GoodsUnknownNowError
from services.redemption.domain.return_quote import NotBoughtError
from services.redemption.schemas.return_quotes import ReturnQuoteAnswer, ReturnQuoteBody
from services.redemption.use_cases.quote_return import ReturnDesk
from shared.receipt_key import encode_receipt_key, receipt_id_of
from shared.web import Principal, invalid_field, problems, requires


def return_quotes_router(desk: ReturnDesk) -> APIRouter:
    """Quotes of returns, answered by this process's desk."""
    router = APIRouter(prefix="/v1", tags=["redemptions"])

    @router.post("/returns:quote", responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 503))
    async def quote(
        body: ReturnQuoteBody, principal: Annotated[Principal, requires("redemptions:write")]
    ) -> ReturnQuoteAnswer:
        """What to pay back for goods of a receipt, at any store of its partner and whoever brings them: by line, in
        money and in points; and which points the return takes, what of these the balance lacks, and what becomes of
        that. No effect, and no Idempotency-Key needed.

        A return that pays its ``points`` back as points tenders brings exactly these points back; quotes of partial
        returns that are posted so add up to the whole. What is taken stands there unless accrual, which says it, is
        late or away; of a receipt in which no points are, nothing can be said then (503).
        """
        receipt_key = encode_receipt_key(at_partner(principal, body.partner_id), body.original)
        try:
            told = await desk.quote(receipt_key, body.thousandths())
        except GoodsUnknownNowError as error:
            raise goods_unknown_now(error) from None
        except NotBoughtError as error:
            place = next(place for place, line in enumerate(body.lines) if line.line_id == error.line_id)
            if error.left_thousandths is None:
                raise invalid_field(f"/lines/{place}/line_id", "the receipt has no such line") from None
            left = f"{error.left_thousandths / 1000:g}"
            raise invalid_field(f"/lines/{place}/quantity", f"{left} of it are left to come back") from None
        return ReturnQuoteAnswer.of(told, receipt_id_of(receipt_key), desk.programme.pricing.currency)

    return router
