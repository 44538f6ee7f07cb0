"""``POST /v1/privileges:check`` and ``:reserve``: what a member is entitled to at a till now, and uses kept for it."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Response

from services.redemption.api.reading import at_partner, in_store, shown_at_till
from services.redemption.api.refusals import no_privileges
from services.redemption.domain.presenting import Presented
from services.redemption.domain.privileges.entitlement import Place
from services.redemption.programme import Programme
from services.redemption.schemas.privileges import AtTillBody, CheckAnswer, CheckBody, ReserveBody, ReservedAnswer
from services.redemption.use_cases.check_privileges import Checked, NoPrivilegesError, check_privileges
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.quote_points import Asked
from services.redemption.use_cases.reserve_privileges import Wanted, reserve_privileges
from shared.database import Database, Transaction
from shared.ids import key_version_of
from shared.web import Answer, IdempotencyKey, Principal, idempotent, invalid_field, problems, requires

AtTill = Annotated[Principal, requires("redemptions:write")]
_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def privilege_checks_router(database: Database, programme: Programme, reserved_for: timedelta) -> APIRouter:
    """Checking and reserving, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["privileges"])

    @router.post("/privileges:check", responses=_PROBLEMS)
    async def check(body: CheckBody, principal: AtTill) -> CheckAnswer:
        """What the member is entitled to here now: discounts with what they take off each line, free services, a place
        in the queue, and what is to be told.

        Discounts are given in their order, each of what the ones before it left; of those that exclude each other the
        one that gives most. No line falls below its floor. Points pay of what is left. Changes nothing, so it needs no
        Idempotency-Key. Refused (409) where this member, or this partner, has no privileges at all now.
        """
        if body.currency not in (None, programme.pricing.currency):
            raise invalid_field("/currency", f"this programme counts in {programme.pricing.currency}")
        shown = _shown(programme, body, body.session_id)
        asked = Asked(
            at_partner(principal, body.partner_id),
            [line.line() for line in body.lines],
            [line.category for line in body.lines],
            in_store(principal, body.store_id),
        )

        async def work(transaction: Transaction) -> Checked:
            return await check_privileges(transaction, shown, asked, programme)

        try:
            return CheckAnswer.of(await database.look(work))
        except NoPrivilegesError as error:
            raise no_privileges(error.reason) from None

    @router.post("/privileges:reserve", status_code=201, response_model=ReservedAnswer, responses=_PROBLEMS)
    async def reserve(body: ReserveBody, principal: AtTill, key: IdempotencyKey) -> Response:
        """Keep one use of each of these privileges for a till conversation, or of none. Where uses are limited, no more
        are promised together than there are.

        They are used up by the receipt that carries the session, and free again where none comes in time. The same
        again keeps them longer. Refused (409) where one is used up (``no-uses-left``) or not the member's here now
        (``not-entitled``), and where a check would be refused.
        """
        shown = _shown(programme, body, body.session_id)
        place = Place.of(at_partner(principal, body.partner_id), in_store(principal, body.store_id))
        wanted = Wanted(place, body.session_id, frozenset(body.privilege_ids), reserved_for)

        async def work(transaction: Transaction) -> Answer:
            try:
                return Answer(201, ReservedAnswer.of(await reserve_privileges(transaction, shown, wanted, programme)))
            except NoPrivilegesError as error:
                raise no_privileges(error.reason) from None

        return await idempotent(database, principal, key, _fingerprint(body, shown), work)

    return router


def _shown(programme: Programme, body: AtTillBody, session_id: UUID | None) -> Spender:
    if body.identifier is None:
        return Spender(body.member_id, (), Presented(session_id=session_id))
    return shown_at_till(programme, body.identifier, session_id=session_id)


def _fingerprint(body: ReserveBody, shown: Spender) -> bytes:
    """What tells a retry from another request: an identifier by its keyed hash, under the oldest valid key, so that a
    retry is one while the key is replaced; a QR token as it stands, since it says nothing."""
    said = body.model_dump(mode="json", exclude={"identifier"})
    said["identifier_hash"] = min(shown.identifier_hashes, key=key_version_of, default=None)
    if body.identifier is not None:
        said["entry_method"] = body.identifier.entry_method
        said["qr_token"] = body.identifier.value if shown.presented.token is not None else None
    return orjson.dumps(said)
