"""``POST /v1/quotes``: how much of a basket points may pay."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter

from services.redemption.api.reading import at_partner, in_store, shown_at_till
from services.redemption.api.refusals import not_spending
from services.redemption.domain.presenting import Presented
from services.redemption.programme import Programme
from services.redemption.schemas.quotes import QuoteAnswer, QuoteBody
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.quote_points import Asked, NotSpendingError, Quoted, quote_points
from shared.database import Database, Transaction
from shared.web import Principal, invalid_field, problems, requires

Writer = Annotated[Principal, requires("redemptions:write")]


def quotes_router(database: Database, programme: Programme, valid_for: timedelta) -> APIRouter:
    """Quotes by the write-off rules in force."""
    router = APIRouter(prefix="/v1/quotes", tags=["redemptions"])

    @router.post("", status_code=201, responses=problems(400, 401, 403, 404, 409, 413, 415, 422))
    async def ask(body: QuoteBody, principal: Writer) -> QuoteAnswer:
        """The most that the member may spend on these goods, what each line's share of that is, and what is in the way
        of more.

        Reserves nothing and locks nobody, so it needs no Idempotency-Key: a hold that names the quote has the last
        word. Refused (409) as a hold would be where this member spends nothing here at all.
        """
        if body.currency not in (None, programme.pricing.currency):
            raise invalid_field("/currency", f"this programme counts in {programme.pricing.currency}")
        if body.identifier is None:
            shown = Spender(body.member_id, presented=Presented(session_id=body.session_id))
        else:
            shown = shown_at_till(programme, body.identifier, session_id=body.session_id)
        asked = Asked(
            at_partner(principal, body.partner_id),
            [line.line() for line in body.lines],
            [line.category for line in body.lines],
            in_store(principal, body.store_id),
            body.points,
        )

        async def work(transaction: Transaction) -> Quoted:
            return await quote_points(transaction, shown, asked, programme, valid_for)

        try:
            return QuoteAnswer.of(await database.run_raw(work))
        except NotSpendingError as error:
            raise not_spending(error.reason, shown.presented.capability, programme.capabilities.version) from None

    return router
