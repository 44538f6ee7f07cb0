"""``POST /v1/returns:quote``: what is paid back for goods, in money and in points."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter

from services.redemption.api.reading import at_partner
from services.redemption.domain.return_quote import NotBoughtError
from services.redemption.programme import Programme
from services.redemption.schemas.return_quotes import ReturnQuoteAnswer, ReturnQuoteBody
from services.redemption.use_cases.quote_goods_return import quote_goods_return
from shared.database import Database
from shared.receipt_key import encode_receipt_key, receipt_id_of
from shared.web import Principal, invalid_field, problems, requires


def return_quotes_router(database: Database, programme: Programme) -> APIRouter:
    """Quotes of returns, as redemption would settle them."""
    router = APIRouter(prefix="/v1", tags=["redemptions"])

    @router.post("/returns:quote", responses=problems(400, 401, 403, 404, 409, 413, 415, 422))
    async def quote(
        body: ReturnQuoteBody, principal: Annotated[Principal, requires("redemptions:write")]
    ) -> ReturnQuoteAnswer:
        """What to pay back for goods of a receipt that was paid with points, at any store of its partner and whoever
        brings them: by line, in money and in points. No effect, and no Idempotency-Key needed.

        A return that pays its ``points`` back as points tenders brings exactly these points back; quotes of partial
        returns that are posted so add up to the whole. What the goods had earned, ``POST /v1/receipts:preview`` of
        accrual tells.
        """
        receipt_key = encode_receipt_key(at_partner(principal, body.partner_id), body.original)
        work = partial(
            quote_goods_return, receipt_key=receipt_key, thousandths=body.thousandths(), pricing=programme.pricing
        )
        try:
            quoted = await database.read(work)
        except NotBoughtError as error:
            place = next(place for place, line in enumerate(body.lines) if line.line_id == error.line_id)
            if error.left_thousandths is None:
                raise invalid_field(f"/lines/{place}/line_id", "the receipt has no such line") from None
            left = f"{error.left_thousandths / 1000:g}"
            raise invalid_field(f"/lines/{place}/quantity", f"{left} of it are left to come back") from None
        return ReturnQuoteAnswer.of(quoted, receipt_id_of(receipt_key), programme.pricing.currency)

    return router
