"""``/v1/members/{id}/pin``: what a member confirms with that points may leave. For the programme alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter
from pydantic import Field, TypeAdapter

from services.members.domain.pins import WrongPinError
from services.members.repository import pins
from services.members.schemas.pins import (
    ConfirmingAnswer,
    PinAnswer,
    PinBody,
    PinChangeAnswer,
    ResetPinAnswer,
    TriedPinAnswer,
    TriedPinBody,
)
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.prove_pin import PinProver
from services.members.use_cases.set_pin import PinWish, reset_pin, set_pin
from shared.database import Database
from shared.secret_hasher import HasherBusyError
from shared.web import Page, Paging, Principal, Problem, problems, refuse_partners, requires

RETRY_AFTER_SECONDS = 1

Setter = Annotated[Principal, requires("pins:write")]
Resetter = Annotated[Principal, requires("pins:reset")]
Verifier = Annotated[Principal, requires("pins:verify")]
Auditor = Annotated[Principal, requires("members:audit")]

VERSION_MAX = 2**63 - 1
_POSITION = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=VERSION_MAX)]])

log = structlog.get_logger(__name__)


def pins_router(database: Database, prover: PinProver, master_keys: MasterKeys) -> APIRouter:
    """Setting, changing, resetting and proving."""
    router = APIRouter(prefix="/v1/members/{member_id}", tags=["pins"])

    @router.put("/pin", responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 503))
    async def put(member_id: UUID, body: PinBody, principal: Setter) -> PinAnswer:
        """Set a member's PIN, or change it with the present one. Sent twice it is as sent once.

        A wrong ``current_pin`` counts as a wrong try. A first PIN, and one after a reset, rests at first.
        """
        refuse_partners(principal, "PINs are set")
        current = None if body.current_pin is None else body.current_pin.get_secret_value()
        wish = PinWish(member_id, body.pin.get_secret_value(), current, principal.client_id)
        with _busy_as_problem():
            try:
                pin = await set_pin(database, prover, master_keys, wish)
            except WrongPinError as error:
                extensions = {"tries_left": error.tries_left}
                raise Problem(409, "wrong-pin", f"{error}.", title="Wrong PIN", extensions=extensions) from None
        async with database.transaction() as transaction:
            return PinAnswer.of(pin, transaction.now)

    @router.delete("/pin", responses=problems(401, 403, 404, 409, 422))
    async def delete(member_id: UUID, principal: Resetter) -> ResetPinAnswer:
        """Take a member's PIN away, which it has forgotten or locked: for support, after it knows who asks."""
        refuse_partners(principal, "PINs are reset")
        was_set = await database.run(lambda transaction: reset_pin(transaction, member_id, principal.client_id))
        log.info("pin reset", member_id=str(member_id), client_id=principal.client_id, was_set=was_set)
        return ResetPinAnswer(member_id=member_id, was_set=was_set)

    @router.get("/pin", responses=problems(401, 403, 422))
    async def read(member_id: UUID, principal: Verifier) -> ConfirmingAnswer:
        """Whether a member could confirm by a PIN now, or by a code by e-mail. Of a stranger it is ``none``."""
        refuse_partners(principal, "PINs are proven")
        async with database.transaction() as transaction:
            pin = PinAnswer.of(await pins.find(transaction, member_id), transaction.now)
            return ConfirmingAnswer(**pin.model_dump(), has_address=await pins.has_address(transaction, member_id))

    @router.post("/pin:verify", responses=problems(400, 401, 403, 409, 413, 415, 422, 503))
    async def verify(member_id: UUID, body: TriedPinBody, principal: Verifier) -> TriedPinAnswer:
        """Try a PIN. Each call is a try of its own, and wrong ones are counted, so that it has no Idempotency-Key."""
        refuse_partners(principal, "PINs are proven")
        with _busy_as_problem():
            async with prover.admitted():
                candidates = [body.pin.get_secret_value()]
                return TriedPinAnswer.of(
                    await prover.prove(member_id, candidates, principal.client_id, must_count=True)
                )

    @router.get("/pin-changes", responses=problems(400, 401, 403, 422))
    async def list_changes(member_id: UUID, principal: Auditor, paging: Paging) -> Page[PinChangeAnswer]:
        """When a member's PIN was set, changed, reset or locked, and by which client; newest first."""
        refuse_partners(principal, "PINs are changed")
        position = paging.position(_POSITION)
        before = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await pins.load_changes(transaction, member_id, before_version=before, rows_max=paging.limit + 1)
        shown = [PinChangeAnswer.of(change) for change in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.version for answer in shown[-1:]])

    return router


@contextmanager
def _busy_as_problem() -> Iterator[None]:
    try:
        yield
    except HasherBusyError as error:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        raise Problem(503, "busy", f"Nothing was counted: {error}.", headers=headers) from None
