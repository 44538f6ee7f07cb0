"""The texts that consents are given before: declared by the programme, read by everybody who shows them."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.members.schemas.consents import ConsentTextAnswer, ConsentTextBody, ConsentTextsAnswer
from services.members.use_cases.declare_consent_text import declare_consent_text
from services.members.use_cases.read_consents import read_consent_texts
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    invalid_field,
    problems,
    refuse_partners,
    requires,
)

Declarer = Annotated[Principal, requires("declarations:write")]
Reader = Annotated[Principal, requires("consents:read")]

_POSITION = TypeAdapter(tuple[str, str, str, str])


def consent_texts_router(database: Database) -> APIRouter:
    """Declare and read texts."""
    router = APIRouter(prefix="/v1/consent-texts", tags=["consents"])

    @router.post(
        "",
        status_code=201,
        response_model=ConsentTextsAnswer,
        responses=problems(400, 401, 403, 409, 413, 415, 422),
    )
    async def declare(body: ConsentTextBody, principal: Declarer, key: IdempotencyKey) -> Response:
        """Declare a version of a text in its languages. Its purpose and channel can be consented to from now on."""
        refuse_partners(principal, "Texts are declared")
        texts = body.texts()
        if len({text.language for text in texts}) != len(texts):
            raise invalid_field("/wordings", "each language may be named once")

        async def work(transaction: Transaction) -> Answer:
            await declare_consent_text(transaction, texts, principal.client_id)
            return Answer(201, ConsentTextsAnswer(texts=[ConsentTextAnswer.of(text) for text in texts]))

        return await idempotent(database, principal, key, body, work)

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_texts(_: Reader, paging: Paging) -> Page[ConsentTextAnswer]:
        """Texts by purpose, channel, version and language."""
        async with database.transaction() as transaction:
            found = await read_consent_texts(transaction, after=paging.position(_POSITION), rows_max=paging.limit + 1)
        shown = [ConsentTextAnswer.of(text) for text in found[: paging.limit]]
        last = shown[-1:]
        position = [each for text in last for each in (text.purpose, text.channel, text.text_version, text.language)]
        return Page.of(found, paging.limit, shown, position)

    return router
