"""Consents: giving, withdrawing and confirming them, and what holds. A partner's client sees its partner's alone."""

from datetime import timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.members.api.partner_binding import refuse_for_others
from services.members.credentials.confirmation_tokens import digest_of, new_confirmation_token
from services.members.domain.consents import ConsentKey
from services.members.schemas.consents import (
    ConfirmationBody,
    ConsentAnswer,
    ConsentBody,
    ConsentsAnswer,
    HistoryAnswer,
    RecordedAnswer,
)
from services.members.use_cases.confirm_consent import confirm_consent
from services.members.use_cases.present_member import present_id
from services.members.use_cases.read_consents import read_consent_history, read_consents
from services.members.use_cases.record_consent import Said, record_consent
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.sealing import Seal
from shared.web import (
    Answer,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    invalid_field,
    opened,
    problems,
    requires,
)

Writer = Annotated[Principal, requires("consents:write")]
Reader = Annotated[Principal, requires("consents:read")]

_POSITION = TypeAdapter(tuple[UUID])


def consents_router(database: Database, seal: Seal, confirmed_within: timedelta) -> APIRouter:
    """Say and confirm what a member allows."""
    router = APIRouter(prefix="/v1", tags=["consents"])

    @router.post(
        "/members/{member_id}/consents",
        status_code=201,
        response_model=RecordedAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def say(member_id: UUID, body: ConsentBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Give or withdraw a consent.

        An e-mail consent that is given waits: send the token in this answer to the member's address, and pass it to
        ``POST /v1/consents:confirm`` when it comes back. A statement older than the one which holds changes nothing.
        """
        refuse_for_others(principal, body.partner_id)
        said = said_of(member_id, body, principal)
        token = new_confirmation_token()

        async def work(transaction: Transaction) -> Answer:
            recorded = await record_consent(transaction, said, digest_of(token), confirmed_within)
            return Answer(201, RecordedAnswer.of(recorded, seal.close(token, _about(said.statement_id))))

        response = await idempotent(database, principal, key, body, work)
        return opened(response, RecordedAnswer, partial(_with_open_token, seal))

    @router.post(
        "/consents:confirm",
        response_model=ConsentAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def confirm(body: ConfirmationBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Confirm a pending consent with the token that came to the member's address. It works once."""

        async def work(transaction: Transaction) -> Answer:
            consent = await confirm_consent(
                transaction,
                digest_of(body.token),
                only_partner=principal.partner_id,
                confirmed_by=principal.client_id,
            )
            return Answer(200, ConsentAnswer.of(consent))

        return await idempotent(database, principal, key, body, work)

    return router


def consent_reading_router(database: Database) -> APIRouter:
    """What a member allows; changes nothing."""
    router = APIRouter(prefix="/v1/members/{member_id}/consents", tags=["consents"])

    @router.get("", responses=problems(401, 403, 404, 422))
    async def present(member_id: UUID, principal: Reader) -> ConsentsAnswer:
        """What holds, and what waits for its confirmation."""
        async with database.transaction() as transaction:
            member_id = await present_id(transaction, member_id)
            holding, awaited = await read_consents(transaction, member_id, only_partner=principal.partner_id)
            return ConsentsAnswer.of(member_id, holding, awaited)

    @router.get("/history", responses=problems(400, 401, 403, 404, 422))
    async def history(member_id: UUID, principal: Reader, paging: Paging) -> Page[HistoryAnswer]:
        """Everything that was said, the newest recorded first."""
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            member_id = await present_id(transaction, member_id)
            found = await read_consent_history(
                transaction,
                member_id,
                only_partner=principal.partner_id,
                before=None if position is None else position[0],
                rows_max=paging.limit + 1,
            )
            shown = [HistoryAnswer.of(*each, transaction.now) for each in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.statement_id for answer in shown[-1:]])

    return router


def said_of(member_id: UUID, body: ConsentBody, principal: Principal, pointer: str = "") -> Said:
    """What a client tells of a member; one that lacks its text is a problem (422) with the field below ``pointer``."""
    for field in ("text_version", "language"):
        if body.is_granted and getattr(body, field) is None:
            raise invalid_field(
                f"{pointer}/{field}", "name the text that the member had before them when they consented"
            )
    return Said(
        statement_id=new_id(),
        key=ConsentKey(member_id, body.purpose, body.channel, body.partner_id),
        is_granted=body.is_granted,
        text_version=body.text_version,
        language=body.language,
        source=body.source,
        proof=body.proof,
        stated_at=body.stated_at,
        recorded_by=principal.client_id,
    )


def _with_open_token(seal: Seal, answer: RecordedAnswer) -> RecordedAnswer:
    if answer.confirmation is None:
        return answer
    return answer.with_token(seal.open(answer.confirmation.token, _about(answer.statement_id)))


def _about(statement_id: UUID) -> str:
    return f"consent {statement_id}"
