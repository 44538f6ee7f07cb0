"""The programme's terms: drafted and published by the programme, read by all, accepted by members."""

from datetime import datetime, timedelta
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import TypeAdapter

from services.members.schemas.registry import Language
from services.members.schemas.terms import (
    AcceptanceAnswer,
    AcceptanceBody,
    AcceptancesAnswer,
    PublicationBody,
    TermsAnswer,
    TermsBody,
    TermsTextAnswer,
)
from services.members.use_cases.accept_terms import Accepted, accept_terms, read_acceptances
from services.members.use_cases.present_member import present_id
from services.members.use_cases.publish_terms import draft_terms, publish_terms
from services.members.use_cases.read_terms import read_terms, read_terms_text, read_upcoming_terms
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.web import Answer, IdempotencyKey, Page, Paging, Principal, idempotent, problems, refuse_partners, requires
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

WITHIN_DAYS_MAX = 3_650

Declarer = Annotated[Principal, requires("declarations:write")]
Writer = Annotated[Principal, requires("members:write")]
Reader = Annotated[Principal, requires("members:read")]
VersionInPath: TypeAlias = Annotated[str, Path(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)]

_BY_DATE = TypeAdapter(tuple[datetime, str])
_UPCOMING = TypeAdapter(tuple[datetime, str, str])


def terms_router(database: Database, notice: timedelta) -> APIRouter:
    """Draft and publish, for the programme's own clients."""
    router = APIRouter(prefix="/v1/terms", tags=["terms"])

    @router.post("", status_code=201, response_model=TermsAnswer, responses=problems(400, 401, 403, 409, 413, 415, 422))
    async def draft(body: TermsBody, principal: Declarer, key: IdempotencyKey) -> Response:
        """Write a draft, in place of the one that is there. A version that is published never changes (409)."""
        refuse_partners(principal, "Terms are drafted")

        async def work(transaction: Transaction) -> Answer:
            saved = await draft_terms(transaction, body.as_draft(), body.paragraphs, principal.client_id)
            return Answer(201, TermsAnswer.of(saved, "draft"))

        return await idempotent(database, principal, key, body, work)

    @router.post(
        "/{language}/{terms_version}/publish",
        response_model=TermsAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def publish(
        language: Language,
        terms_version: VersionInPath,
        body: PublicationBody,
        principal: Declarer,
        key: IdempotencyKey,
    ) -> Response:
        """Publish a draft: it never changes from now on.

        The first version in a language may take effect at any time; a change not before its notice is over, and later
        than what is published already. The problem (409) names the earliest time.
        """
        refuse_partners(principal, "Terms are published")

        async def work(transaction: Transaction) -> Answer:
            published = await publish_terms(
                transaction, language, terms_version, body.announced_at, notice, principal.client_id
            )
            return Answer(200, TermsAnswer.of(*published))

        return await idempotent(database, principal, key, body, work)

    return router


def terms_reading_router(database: Database) -> APIRouter:
    """Read terms. Drafts are shown to the programme's own clients alone."""
    router = APIRouter(prefix="/v1", tags=["terms"])

    @router.get("/terms", responses=problems(400, 401, 403, 422))
    async def list_terms(
        principal: Reader, language: Annotated[Language, Query()], paging: Paging
    ) -> Page[TermsAnswer]:
        """Versions in a language, the one that takes effect last first."""
        async with database.transaction() as transaction:
            found = await read_terms(
                transaction,
                language,
                with_drafts=principal.partner_id is None,
                after=paging.position(_BY_DATE),
                rows_max=paging.limit + 1,
            )
        shown = [TermsAnswer.of(*each) for each in found[: paging.limit]]
        position = [each for terms in shown[-1:] for each in (terms.effective_from, terms.terms_version)]
        return Page.of(found, paging.limit, shown, position)

    @router.get("/terms:upcoming", responses=problems(400, 401, 403, 422))
    async def upcoming(
        _: Reader, paging: Paging, within_days: Annotated[int, Query(ge=1, le=WITHIN_DAYS_MAX)] = 30
    ) -> Page[TermsAnswer]:
        """Terms that are published and take effect within so many days, in every language, the next first."""
        async with database.transaction() as transaction:
            found = await read_upcoming_terms(
                transaction,
                timedelta(days=within_days),
                after=paging.position(_UPCOMING),
                rows_max=paging.limit + 1,
            )
        shown = [TermsAnswer.of(terms, "announced") for terms in found[: paging.limit]]
        position = [
            each for terms in shown[-1:] for each in (terms.effective_from, terms.language, terms.terms_version)
        ]
        return Page.of(found, paging.limit, shown, position)

    @router.get("/terms/{language}/{terms_version}", responses=problems(401, 403, 404, 422))
    async def read(language: Language, terms_version: VersionInPath, principal: Reader) -> TermsTextAnswer:
        """One version with its text."""
        async with database.transaction() as transaction:
            told = await read_terms_text(transaction, language, terms_version, with_drafts=principal.partner_id is None)
        return TermsTextAnswer.with_text(*told)

    return router


def acceptances_router(database: Database) -> APIRouter:
    """Who accepted which terms."""
    router = APIRouter(prefix="/v1/members/{member_id}/terms-acceptances", tags=["terms"])

    @router.post(
        "",
        status_code=201,
        response_model=AcceptanceAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def accept(member_id: UUID, body: AcceptanceBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Record that a member accepted a published version. Every acceptance is kept, one of the same version too."""
        accepted = Accepted(
            acceptance_id=new_id(),
            member_id=member_id,
            language=body.language,
            terms_version=body.terms_version,
            source=body.source,
            proof=body.proof,
            accepted_at=body.accepted_at,
            recorded_by=principal.client_id,
        )

        async def work(transaction: Transaction) -> Answer:
            return Answer(201, AcceptanceAnswer.of(await accept_terms(transaction, accepted)))

        return await idempotent(database, principal, key, body, work)

    @router.get("", responses=problems(401, 403, 404, 422))
    async def read(member_id: UUID, principal: Reader) -> AcceptancesAnswer:
        """What a member accepted, and what still has to be. For the programme's own clients."""
        refuse_partners(principal, "What members accepted is shown")
        async with database.transaction() as transaction:
            member_id = await present_id(transaction, member_id)
            return AcceptancesAnswer.of(member_id, *await read_acceptances(transaction, member_id))

    return router
