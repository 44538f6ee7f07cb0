"""``/v1/segments`` and ``/v1/members/{member_id}/campaigns/{code}``: groups of members that rules name."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.accrual.domain.memberships import (
    Membership,
    MembershipTimesError,
    NoSuchGroupError,
    SegmentExistsError,
)
from services.accrual.domain.rules.needs import GroupName
from services.accrual.repository import memberships
from services.accrual.repository.memberships import Segment
from services.accrual.schemas.memberships import (
    JoiningBody,
    LeftAnswer,
    MembershipAnswer,
    RefusedChangeAnswer,
    SegmentAnswer,
    SegmentBody,
    SegmentChangesAnswer,
    SegmentChangesBody,
)
from services.accrual.use_cases.change_memberships import (
    Asking,
    Change,
    change_memberships,
    declare_segment,
    join_campaign,
    leave_campaign,
)
from shared import ledger
from shared.database import Database, Transaction
from shared.web.answers import Answer
from shared.web.authorisation import requires
from shared.web.idempotency import idempotent
from shared.web.keyed_requests import IdempotencyKey
from shared.web.paging import Page, Paging
from shared.web.principal import Principal
from shared.web.problems import not_found, problems
from shared.web.refusals import DomainProblems
from shared.web.strict import CodeText

MEMBERSHIP_PROBLEMS: DomainProblems = {
    NoSuchGroupError: (404, "not-found", "Not found"),
    MembershipTimesError: (422, "membership-times", "The times cannot be"),
    SegmentExistsError: (409, "segment-exists", "Segment exists"),
}
NO_ID = UUID(int=0)
_CODE = TypeAdapter(tuple[str])
_ID = TypeAdapter(tuple[UUID])
_CHANGING = problems(400, 401, 403, 404, 409, 413, 415, 422)


def membership_routers(database: Database) -> tuple[APIRouter, ...]:
    """All routes of segments and of campaigns that members join."""
    return segments_router(database), joining_router(database), memberships_router(database)


def segments_router(database: Database) -> APIRouter:
    """Segments, for the programme's own clients."""
    router = APIRouter(prefix="/v1/segments", tags=["segments"])

    @router.post("", status_code=201, response_model=SegmentAnswer, responses=_CHANGING)
    async def declare(
        body: SegmentBody, principal: Annotated[Principal, requires("segments:write")], key: IdempotencyKey
    ) -> Response:
        """Declare a segment, for ever. Rules can name it then."""
        _require_programme(principal)

        async def work(transaction: Transaction) -> Answer:
            segment = await declare_segment(transaction, body.code, body.name, principal.client_id)
            return Answer(201, _segment(segment))

        return await idempotent(database, principal, key, body, work)

    @router.get("", responses=problems(400, 401, 403, 404, 422))
    async def list_segments(
        paging: Paging, principal: Annotated[Principal, requires("memberships:read")]
    ) -> Page[SegmentAnswer]:
        """Every segment, by code."""
        _require_programme(principal)
        position = paging.position(_CODE)
        async with database.transaction() as transaction:
            found = await memberships.load_segments(transaction, position[0] if position else "", paging.limit + 1)
        shown = [_segment(segment) for segment in found[: paging.limit]]
        return Page[SegmentAnswer].of(found, paging.limit, shown, [shown[-1].code] if shown else [])

    @router.post("/{code}/members", response_model=SegmentChangesAnswer, responses=_CHANGING)
    async def change(
        code: CodeText,
        body: SegmentChangesBody,
        principal: Annotated[Principal, requires("segments:write")],
        key: IdempotencyKey,
    ) -> Response:
        """Put members into a segment or take them out, up to 500 at once; one that cannot be harms no other.

        Nothing reaches back: receipts of before are judged by what was in force then. A list that is longer is sent in
        pages; sent again it changes nothing.
        """
        _require_programme(principal)
        changes = [Change(one.member_id, one.action, one.from_at, one.until_at) for one in body.changes]

        async def work(transaction: Transaction) -> Answer:
            done = await change_memberships(transaction, GroupName("segment", code), changes, _asking(principal))
            refused = [RefusedChangeAnswer(member_id=one.member_id, reason=one.reason) for one in done.refused]
            answer = SegmentChangesAnswer(applied=done.applied, unchanged=done.unchanged, refused=refused)
            return Answer(200, answer)

        return await idempotent(database, principal, key, body, work)

    @router.get("/{code}/members", responses=problems(400, 401, 403, 404, 422))
    async def list_members(
        code: CodeText, paging: Paging, principal: Annotated[Principal, requires("memberships:read")]
    ) -> Page[MembershipAnswer]:
        """Who belongs to a segment, or will."""
        _require_programme(principal)
        group, position = GroupName("segment", code), paging.position(_ID)
        async with database.transaction() as transaction:
            if not await memberships.is_known(transaction, group):
                raise not_found("segment")
            after = position[0] if position else NO_ID
            found = await memberships.load_of_group(transaction, group, after, paging.limit + 1)
        return _page(found, paging)

    return router


def joining_router(database: Database) -> APIRouter:
    """Campaigns that members join, told by partners' apps and by support."""
    router = APIRouter(prefix="/v1/members/{member_id}/campaigns", tags=["segments"])

    @router.post("/{code}:join", response_model=MembershipAnswer, responses=_CHANGING)
    async def join(
        member_id: UUID,
        code: CodeText,
        body: JoiningBody,
        principal: Annotated[Principal, requires("campaigns:join")],
        key: IdempotencyKey,
    ) -> Response:
        """Let a member join a published campaign, from now on or within times to come. A partner's client sees those
        which rules name that may concern the partner's receipts.

        Whoever has joined already goes on, and leaves as said now. Receipts of before earn what they earned.
        """

        async def work(transaction: Transaction) -> Answer:
            times = body.from_at, body.until_at
            joined = await join_campaign(transaction, code, member_id, *times, _asking(principal))
            if joined is None:
                raise not_found("member")
            answer = _membership(joined)
            if not principal.sees(None) and joined.changed_by != principal.client_id:
                answer = answer.model_copy(update={"changed_by": None})  # another partner's client, or a person
            return Answer(200, answer)

        return await idempotent(database, principal, key, body, work)

    @router.post("/{code}:leave", response_model=LeftAnswer, responses=_CHANGING)
    async def leave(
        member_id: UUID,
        code: CodeText,
        principal: Annotated[Principal, requires("campaigns:join")],
        key: IdempotencyKey,
    ) -> Response:
        """Let a member leave a campaign now, or not begin it. Whoever is not in it stays so."""

        async def work(transaction: Transaction) -> Answer:
            if not await leave_campaign(transaction, code, member_id, _asking(principal)):
                raise not_found("member")
            return Answer(200, LeftAnswer(member_id=member_id, campaign=code))

        return await idempotent(database, principal, key, None, work)

    return router


def memberships_router(database: Database) -> APIRouter:
    """What a member belongs to."""
    router = APIRouter(prefix="/v1/members/{member_id}/memberships", tags=["segments"])

    @router.get("", responses=problems(400, 401, 403, 404, 422))
    async def list_memberships(
        member_id: UUID, paging: Paging, principal: Annotated[Principal, requires("memberships:read")]
    ) -> Page[MembershipAnswer]:
        """Every stay of a member in segments and campaigns. Who was merged away is answered with the survivor's."""
        _require_programme(principal)
        position = paging.position(_ID)
        async with database.transaction() as transaction:
            survivors = await ledger.find_survivors(transaction, [member_id])
            owner_id, after = survivors.get(member_id, member_id), position[0] if position else NO_ID
            found = await memberships.load_of_member(transaction, owner_id, after, paging.limit + 1)
        return _page(found, paging)

    return router


def _asking(principal: Principal) -> Asking:
    return Asking(principal.client_id, principal.partner_id)


def _require_programme(principal: Principal) -> None:
    if not principal.sees(None):
        raise not_found("segment")


def _page(found: list[Membership], paging: Paging) -> Page[MembershipAnswer]:
    shown = [_membership(one) for one in found[: paging.limit]]
    return Page[MembershipAnswer].of(found, paging.limit, shown, [shown[-1].membership_id] if shown else [])


def _segment(segment: Segment) -> SegmentAnswer:
    return SegmentAnswer(**segment._asdict())


def _membership(one: Membership) -> MembershipAnswer:
    return MembershipAnswer(
        membership_id=one.membership_id,
        member_id=one.member_id,
        kind=one.group.kind,
        code=one.group.code,
        from_at=one.from_at,
        until_at=one.until_at,
        changed_by=one.changed_by,
    )
