"""``/v1/tier-schemes`` and ``/v1/members/{member_id}/tier``: the ladder, and where a member stands on it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import Field, TypeAdapter

from services.accrual.api.tier_answers import grant_answer, scheme_answer, tier_answer
from services.accrual.api.tier_problems import multiplier_not_given
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import tier_schemes
from services.accrual.schemas.tiers import (
    TierAnswer,
    TierGrantAnswer,
    TierGrantBody,
    TierSchemeAnswer,
    TierSchemeBody,
)
from services.accrual.use_cases.grant_tier import grant_tier, revoke_tier_grant
from services.accrual.use_cases.keep_promises import UnkeptPromiseError
from services.accrual.use_cases.publish_tier_scheme import publish_tier_scheme
from services.accrual.use_cases.read_tier import read_tier
from shared.database import Database, Transaction
from shared.point_types import ONE_TYPE, PointTypes
from shared.web.answers import Answer
from shared.web.authorisation import requires
from shared.web.idempotency import idempotent
from shared.web.keyed_requests import IdempotencyKey
from shared.web.paging import Page, Paging
from shared.web.principal import Principal
from shared.web.problems import invalid_field, not_found, problems

VERSION_MAX = 2**31 - 1
Version = Annotated[int, Path(ge=1, le=VERSION_MAX)]
_POSITION = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=VERSION_MAX)]])


def tier_routers(database: Database, point_types: PointTypes = ONE_TYPE) -> tuple[APIRouter, ...]:
    """All routes of tiers; schemes may count points of ``point_types``."""
    return tier_schemes_router(database, point_types), member_tiers_router(database), tier_grants_router(database)


def tier_schemes_router(database: Database, point_types: PointTypes) -> APIRouter:
    """The programme's ladder, in immutable versions."""
    router = APIRouter(prefix="/v1/tier-schemes", tags=["tiers"])

    @router.post(
        "", status_code=201, response_model=TierSchemeAnswer, responses=problems(400, 401, 403, 404, 409, 413, 422)
    )
    async def publish(
        body: TierSchemeBody, principal: Annotated[Principal, requires("tiers:write")], key: IdempotencyKey
    ) -> Response:
        """Publish the next version. It takes effect at ``effective_from``: a minute ahead at least, also the first.

        Refused is one whose tiers multiply by what no rule in force then gives: rules are published first.
        """
        if not principal.sees(None):
            raise not_found("programme")
        if body.points_of is not None and body.points_of not in point_types.status_codes:
            raise invalid_field("/points_of", "leave it out for the programme's own points, or name a type beside them")

        async def work(transaction: Transaction) -> Answer:
            try:
                scheme = await publish_tier_scheme(transaction, body, body.effective_from, principal.client_id)
            except UnkeptPromiseError as error:
                raise multiplier_not_given(error) from error
            return Answer(201, scheme_answer(scheme))

        return await idempotent(database, principal, key, body, work)

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_schemes(paging: Paging, _: Annotated[Principal, requires("tiers:read")]) -> Page[TierSchemeAnswer]:
        """Every version, the first first."""
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await tier_schemes.load_newer(transaction, position[0] if position else 0)
        shown = [scheme_answer(scheme) for scheme in found[: paging.limit]]
        return Page[TierSchemeAnswer].of(found, paging.limit, shown, [shown[-1].version] if shown else [])

    @router.get("/{version}", responses=problems(401, 403, 404, 422))
    async def get_scheme(version: Version, _: Annotated[Principal, requires("tiers:read")]) -> TierSchemeAnswer:
        """One version, as it grades members."""
        async with database.transaction() as transaction:
            found = await tier_schemes.load_newer(transaction, version - 1)
        if not found:
            raise not_found("tier scheme")
        return scheme_answer(found[0])

    return router


def member_tiers_router(database: Database) -> APIRouter:
    """Where a member stands."""
    router = APIRouter(prefix="/v1/members/{member_id}", tags=["tiers"])

    @router.get("/tier", responses=problems(401, 403, 404, 422))
    async def get_tier(member_id: UUID, principal: Annotated[Principal, requires("tiers:read")]) -> TierAnswer:
        """A member's tier as of now, what it entitles to, until when, and what the next one takes.

        A till of any partner may ask for the tier; what was collected is told to the programme's own clients alone. A
        member who was merged away is answered with the survivor's id and tier.
        """
        async with database.transaction() as transaction:
            shown = await read_tier(transaction, member_id, await _schemes(transaction))
        if shown is None:
            raise not_found("tier")
        return tier_answer(shown, is_programme=principal.sees(None))

    return router


def tier_grants_router(database: Database) -> APIRouter:
    """Tiers that are given by hand, by the programme's own."""
    router = APIRouter(prefix="/v1/members/{member_id}/tier-grants", tags=["tiers"])

    @router.post(
        "",
        status_code=201,
        response_model=TierGrantAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 422),
    )
    async def grant(
        member_id: UUID,
        body: TierGrantBody,
        principal: Annotated[Principal, requires("tiers:grant")],
        key: IdempotencyKey,
    ) -> Response:
        """Give a member a tier from now until just before ``ends_at``, whatever is earned; the reason is kept."""
        if not principal.sees(None):
            raise not_found("member")

        async def work(transaction: Transaction) -> Answer:
            granted = await grant_tier(
                transaction,
                member_id,
                body.tier,
                body.ends_at,
                body.reason_code,
                principal.client_id,
                await _schemes(transaction),
            )
            if granted is None:
                raise not_found("member")
            return Answer(201, grant_answer(granted))

        return await idempotent(database, principal, key, body, work)

    @router.delete("/{grant_id}", responses=problems(401, 403, 404, 409, 422))
    async def revoke(
        member_id: UUID, grant_id: UUID, principal: Annotated[Principal, requires("tiers:grant")]
    ) -> TierGrantAnswer:
        """Take a grant back. Once it has ended, or was taken back, this changes nothing and answers with it."""
        if not principal.sees(None):
            raise not_found("member")

        async def work(transaction: Transaction) -> TierGrantAnswer:
            schemes = await _schemes(transaction)
            revoked = await revoke_tier_grant(transaction, member_id, grant_id, principal.client_id, schemes)
            if revoked is None:
                raise not_found("grant")
            return grant_answer(revoked)

        return await database.run(work)

    return router


async def _schemes(transaction: Transaction) -> TierSchemeHistory:
    return TierSchemeHistory(await tier_schemes.load_newer(transaction, 0))
