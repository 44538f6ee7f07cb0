"""``POST /v1/checkouts``: a till's one call before a basket is paid."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter

from services.redemption.api.reading import at_partner, at_till, in_store, shown_at_till
from services.redemption.schemas.checkouts import CheckoutAnswer, CheckoutBody
from services.redemption.use_cases.check_out import CheckoutDesk, Sale
from services.redemption.use_cases.quote_points import Asked
from shared.ids import new_id
from shared.web import Principal, invalid_field, problems, requires

NAME_SCOPE = "members:name"

Writer = Annotated[Principal, requires("redemptions:write")]


def checkouts_router(desk: CheckoutDesk) -> APIRouter:
    """Checkouts, answered by this process's desk."""
    router = APIRouter(prefix="/v1/checkouts", tags=["redemptions"])

    @router.post("", status_code=201, responses=problems(400, 401, 403, 413, 415, 422))
    async def check_out(body: CheckoutBody, principal: Writer) -> CheckoutAnswer:
        """Who is there, what the basket earns, how much of it points may pay, and what to print; and a session, which
        quote, holds and receipt bear.

        Each part has a deadline. One that fails, is late, or is refused (an unknown or blocked card, a member who may
        not spend) is null and named in ``absent``: the sale goes on. Reserves nothing, so it needs no Idempotency-Key:
        asked again with the same ``session_id`` it goes on with the conversation. The member's name is shown with the
        scope ``members:name``.
        """
        pricing = desk.programme.pricing
        if body.currency not in (None, pricing.currency):
            raise invalid_field("/currency", f"this programme counts in {pricing.currency}")
        partner_id, store_id = at_partner(principal, body.partner_id), in_store(principal, body.store_id)
        store_id, till_id = at_till(principal, store_id, body.till_id)
        shown = shown_at_till(desk.programme, body.identifier, session_id=body.session_id)
        session_id = shown.presented.session or body.session_id or new_id()
        sale = Sale(
            replace(shown, presented=replace(shown.presented, session_id=body.session_id or session_id)),
            Asked(partner_id, [line.line() for line in body.lines], [line.category for line in body.lines], store_id),
            body.for_accrual(partner_id, store_id, till_id, pricing.currency),
            principal.client_id,
            NAME_SCOPE in principal.scopes,
        )
        return CheckoutAnswer.of(session_id, await desk.check_out(sale))

    return router
