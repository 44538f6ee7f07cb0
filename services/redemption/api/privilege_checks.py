"""``POST /v1/privileges:check``: what a member is entitled to at a till now."""

from typing import Annotated

from fastapi import APIRouter

from services.redemption.api.reading import at_partner, in_store, shown_at_till
from services.redemption.api.refusals import no_privileges
from services.redemption.programme import Programme
from services.redemption.schemas.privileges import CheckAnswer, CheckBody
from services.redemption.use_cases.check_privileges import Checked, NoPrivilegesError, check_privileges
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.quote_points import Asked
from shared.database import Database, Transaction
from shared.web import Principal, invalid_field, problems, requires

AtTill = Annotated[Principal, requires("redemptions:write")]


def privilege_checks_router(database: Database, programme: Programme) -> APIRouter:
    """Checking, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["privileges"])

    @router.post("/privileges:check", responses=problems(400, 401, 403, 404, 409, 413, 415, 422))
    async def check(body: CheckBody, principal: AtTill) -> CheckAnswer:
        """What the member is entitled to here now: discounts with what they take off each line, free services, a place
        in the queue, and what is to be told.

        Discounts are given in their order, each of what the ones before it left; of those that exclude each other the
        one that gives most. No line falls below its floor. Points pay of what is left. Changes nothing, so it needs no
        Idempotency-Key. Refused (409) where this member, or this partner, has no privileges at all now.
        """
        if body.currency not in (None, programme.pricing.currency):
            raise invalid_field("/currency", f"this programme counts in {programme.pricing.currency}")
        shown = Spender(body.member_id) if body.identifier is None else shown_at_till(programme, body.identifier)
        asked = Asked(
            at_partner(principal, body.partner_id),
            [line.line() for line in body.lines],
            [line.category for line in body.lines],
            in_store(principal, body.store_id),
        )

        async def work(transaction: Transaction) -> Checked:
            return await check_privileges(transaction, shown, asked, programme)

        try:
            return CheckAnswer.of(await database.run(work))
        except NoPrivilegesError as error:
            raise no_privileges(error.reason) from None

    return router
