"""Partners. A client that is bound to one sees that one alone."""

from datetime import tzinfo
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.coalition.domain.registry import FIRST_VERSION, Partner
from services.coalition.domain.standing import Standing
from services.coalition.schemas.fields import CodeInPath
from services.coalition.schemas.partners import PartnerAnswer, PartnerBody, PartnerChangeBody
from services.coalition.use_cases.change_partner import change_partner
from services.coalition.use_cases.read_partners import read_partner, read_partners
from services.coalition.use_cases.register_partner import register_partner
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    IfMatch,
    Page,
    Paging,
    Principal,
    etag,
    idempotent,
    not_found,
    problems,
    refuse_partners,
    requires,
)

Writer = Annotated[Principal, requires("partners:write")]
Reader = Annotated[Principal, requires("partners:read")]
_WHAT = "Where partners stand is said"

_POSITION = TypeAdapter(tuple[CodeText])


def partners_router(database: Database) -> APIRouter:
    """Register and read partners."""
    router = APIRouter(prefix="/v1/partners", tags=["partners"])

    @router.post(
        "",
        status_code=201,
        response_model=PartnerAnswer,
        responses=problems(400, 401, 403, 409, 413, 415, 422),
    )
    async def register(body: PartnerBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Register a partner, for the programme's own clients. An id that is taken is refused (409)."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            partner = Partner(
                partner_id=body.partner_id,
                name=body.name,
                standing=Standing(body.kind, body.state, transaction.now, "registered"),
                line_tolerance_minor=body.line_tolerance_minor,
                receipt_tolerance_minor=body.receipt_tolerance_minor,
                version=FIRST_VERSION,
            )
            await register_partner(transaction, partner, principal.client_id)
            return Answer(201, PartnerAnswer.of(partner))

        return await idempotent(database, principal, key, body, work)

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_partners(principal: Reader, paging: Paging) -> Page[PartnerAnswer]:
        """Partners in the order of their ids."""
        position = paging.position(_POSITION)
        after = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await read_partners(transaction, only=principal.partner_id, after=after, rows_max=paging.limit + 1)
        shown = [PartnerAnswer.of(partner) for partner in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.partner_id for answer in shown[-1:]])

    @router.get("/{partner_id}", responses=problems(401, 403, 404, 422))
    async def read(partner_id: CodeInPath, principal: Reader, response: Response) -> PartnerAnswer:
        """One partner, with its version as ETag."""
        if not principal.sees(partner_id):
            raise not_found("partner")
        async with database.transaction() as transaction:
            partner = await read_partner(transaction, partner_id)
        response.headers.update(etag(partner.version))
        return PartnerAnswer.of(partner)

    return router


def standings_router(database: Database, zone: tzinfo) -> APIRouter:
    """Change partners. ``zone`` is where the programme's days begin and end."""
    router = APIRouter(prefix="/v1/partners", tags=["partners"])

    @router.patch("/{partner_id}", responses=problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 428))
    async def change(
        partner_id: CodeInPath, body: PartnerChangeBody, principal: Writer, version: IfMatch, response: Response
    ) -> PartnerAnswer:
        """Change a partner's kind or state, for the programme's own clients. It counts from ``in_force_from`` on."""
        if not principal.sees(partner_id):
            raise not_found("partner")
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Partner:
            return await change_partner(
                transaction,
                partner_id,
                body.standing,
                starts_at=body.in_force_from,
                expected_version=version,
                zone=zone,
                author=principal.client_id,
            )

        changed = await database.run(work)
        response.headers.update(etag(changed.version))
        return PartnerAnswer.of(changed)

    return router
