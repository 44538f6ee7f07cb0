"""Households: founding, inviting, accepting, leaving, rights. For the programme's own clients, in members' names."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.members.credentials.confirmation_tokens import digest_of
from services.members.credentials.invitation_tokens import new_invitation_token
from services.members.domain.households import HouseholdLimits
from services.members.schemas.households import (
    AcceptanceBody,
    HouseholdAnswer,
    HouseholdBody,
    HouseholdChangeAnswer,
    InvitationAnswer,
    InvitationBody,
    LeavingBody,
    RepublishedHouseholdsAnswer,
    RepublishHouseholdsBody,
    RightsBody,
)
from services.members.use_cases.accept_invitation import Acceptance, accept_invitation
from services.members.use_cases.change_household_rights import RightsRequest, change_household_rights
from services.members.use_cases.found_household import found_household
from services.members.use_cases.invite_to_household import InvitationRequest, invite_to_household
from services.members.use_cases.leave_household import leave_household
from services.members.use_cases.read_household import read_household, read_household_changes
from services.members.use_cases.republish_households import republish_households
from shared.database import Database, Transaction
from shared.sealing import Seal
from shared.web import (
    Answer,
    IdempotencyKey,
    IfMatch,
    Page,
    Paging,
    Principal,
    etag,
    idempotent,
    opened,
    problems,
    refuse_partners,
    requires,
)

Writer = Annotated[Principal, requires("households:write")]
Reader = Annotated[Principal, requires("households:read")]
Auditor = Annotated[Principal, requires("members:audit")]
Teller = Annotated[Principal, requires("members:republish")]

_POSITION = TypeAdapter(tuple[UUID])
_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)
_WHAT = "Households are"


def households_router(database: Database, limits: HouseholdLimits) -> APIRouter:
    """Found, leave, and change rights."""
    router = APIRouter(prefix="/v1/households", tags=["households"])

    @router.post("", status_code=201, response_model=HouseholdAnswer, responses=_PROBLEMS)
    async def found(body: HouseholdBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Found a household with one member, who is its head. A member belongs to one household at most."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            household = await found_household(
                transaction, body.member_id, body.rights(), body.agreed(), principal.client_id, limits
            )
            return Answer(201, HouseholdAnswer.of(household))

        return await idempotent(database, principal, key, body, work)

    @router.post("/{household_id}/leave", response_model=HouseholdAnswer, responses=_PROBLEMS)
    async def leave(household_id: UUID, body: LeavingBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Leave a household, which nobody is kept from. Who leaves last dissolves it.

        Where the member agreed to it on joining, what they have available stays with the household.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            household = await leave_household(transaction, household_id, body.member_id, principal.client_id)
            return Answer(200, HouseholdAnswer.of(household))

        return await idempotent(database, principal, key, body, work)

    @router.patch(
        "/{household_id}/members/{member_id}", responses=problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 428)
    )
    async def change_rights(
        household_id: UUID,
        member_id: UUID,
        body: RightsBody,
        principal: Writer,
        version: IfMatch,
        response: Response,
    ) -> HouseholdAnswer:
        """Change what a member may do, under the household's version. Who may change what depends on ``stated_by``."""
        refuse_partners(principal, _WHAT)
        request = RightsRequest(household_id, member_id, version, body.asked(), body.stated_by, principal.client_id)
        household = await database.run(lambda transaction: change_household_rights(transaction, request))
        response.headers.update(etag(household.version))
        return HouseholdAnswer.of(household)

    return router


def invitations_router(database: Database, seal: Seal, limits: HouseholdLimits) -> APIRouter:
    """Invite, and accept."""
    router = APIRouter(prefix="/v1", tags=["households"])

    @router.post(
        "/households/{household_id}/invitations",
        status_code=201,
        response_model=InvitationAnswer,
        responses=_PROBLEMS,
    )
    async def invite(household_id: UUID, body: InvitationBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Invite a member. The token in this answer is for that member alone, and works once.

        It ends when it is used, when it expires, when the same member is invited again, and when who invited leaves.
        ``leaving`` says what becomes of the member's points when they leave: show it before they accept.
        """
        refuse_partners(principal, _WHAT)
        request = InvitationRequest(
            household_id, body.invited_by, body.member_id, body.contributes, body.may_spend, principal.client_id
        )
        token = new_invitation_token()

        async def work(transaction: Transaction) -> Answer:
            invitation = await invite_to_household(transaction, request, digest_of(token), limits)
            about = _about(household_id, body.member_id)
            return Answer(201, InvitationAnswer.of(invitation, limits.leaving, seal.close(token, about)))

        response = await idempotent(database, principal, key, body, work)
        return opened(response, InvitationAnswer, partial(_with_open_token, seal))

    @router.post("/household-invitations:accept", response_model=HouseholdAnswer, responses=_PROBLEMS)
    async def accept(body: AcceptanceBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Accept an invitation: the member belongs to the household from now on, and ``leaving`` is agreed to."""
        refuse_partners(principal, _WHAT)
        acceptance = Acceptance(
            body.member_id, digest_of(body.token), body.shows_purchases, body.agreed(), principal.client_id
        )

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, HouseholdAnswer.of(await accept_invitation(transaction, acceptance, limits)))

        return await idempotent(database, principal, key, body, work)

    return router


def household_reading_router(database: Database) -> APIRouter:
    """Read households, and tell them again."""
    router = APIRouter(prefix="/v1", tags=["households"])

    @router.get("/households/{household_id}", responses=problems(401, 403, 404, 422))
    async def read(household_id: UUID, principal: Reader, response: Response) -> HouseholdAnswer:
        """A household and its members, in the order of joining."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            household = await read_household(transaction, household_id)
        response.headers.update(etag(household.version))
        return HouseholdAnswer.of(household)

    @router.get("/households/{household_id}/changes", responses=problems(400, 401, 403, 422))
    async def list_changes(household_id: UUID, principal: Auditor, paging: Paging) -> Page[HouseholdChangeAnswer]:
        """Who founded, invited, joined, left or changed rights, when, and by which client; newest first."""
        refuse_partners(principal, _WHAT)
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await read_household_changes(
                transaction,
                household_id,
                before=None if position is None else position[0],
                rows_max=paging.limit + 1,
            )
        shown = [HouseholdChangeAnswer.of(change) for change in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.change_id for answer in shown[-1:]])

    @router.post("/households:republish", response_model=RepublishedHouseholdsAnswer, responses=_PROBLEMS)
    async def republish(body: RepublishHouseholdsBody, principal: Teller, key: IdempotencyKey) -> Response:
        """Publish a page of households as they stand, at their present versions."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            page = await republish_households(transaction, body.after, body.households_max)
            return Answer(200, RepublishedHouseholdsAnswer.of(page))

        return await idempotent(database, principal, key, body, work)

    return router


def _with_open_token(seal: Seal, answer: InvitationAnswer) -> InvitationAnswer:
    token = seal.open(answer.token, _about(answer.household_id, answer.member_id))
    return answer.model_copy(update={"token": token})


def _about(household_id: UUID, member_id: UUID) -> str:
    return f"invitation {household_id} {member_id}"
