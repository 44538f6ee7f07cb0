"""``/v1/privileges``: what members are entitled to is proposed by one person and approved by another."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import TypeAdapter

from services.redemption.api.refusals import not_told_of_yet
from services.redemption.domain.privileges.life import Privilege
from services.redemption.repository import privileges
from services.redemption.schemas.privileges import EndBody, GrantAnswer, GrantBody, PrivilegeAnswer, PrivilegeBody
from services.redemption.use_cases.declare_privileges import (
    UnknownPartnersError,
    approve_privilege,
    end_privilege,
    grant_privilege,
    propose_privilege,
)
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    not_found,
    problems,
    refuse_partners,
    requires,
)
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

_WHAT = "Privileges are"
_POSITION = TypeAdapter(tuple[str])
_WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)

PrivilegeId = Annotated[str, Path(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)]
Reader = Annotated[Principal, requires("privileges:read")]
Writer = Annotated[Principal, requires("privileges:write")]
Approver = Annotated[Principal, requires("privileges:approve")]


def privileges_router(database: Database) -> APIRouter:
    """Privileges from their proposal to their end, and to whom offers are granted. For the programme's own clients."""
    router = APIRouter(prefix="/v1/privileges", tags=["privileges"])
    _add_steps(router, database)
    _add_reading(router, database)
    _add_grants(router, database)
    return router


def _add_steps(router: APIRouter, database: Database) -> None:
    @router.post("", status_code=201, response_model=PrivilegeAnswer, responses=_WRITE_PROBLEMS)
    async def propose(body: PrivilegeBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Propose a privilege. Nobody has it before another person has approved it, and its terms never change: other
        terms are another privilege.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            try:
                made = await propose_privilege(transaction, body.terms(), principal.client_id)
            except UnknownPartnersError as error:
                raise not_told_of_yet("/partners", str(error)) from None
            return Answer(201, PrivilegeAnswer.of(made))

        return await idempotent(database, principal, key, body, work)

    @router.post("/{privilege_id}/approve", response_model=PrivilegeAnswer, responses=_WRITE_PROBLEMS)
    async def approve(privilege_id: PrivilegeId, principal: Approver, key: IdempotencyKey) -> Response:
        """Approve what another person has proposed: members have it from its first day on, within seconds where that
        is today. Refused (403) to whoever proposed it.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await approve_privilege(transaction, privilege_id, principal.client_id))

        return await idempotent(database, principal, key, None, work)

    @router.post("/{privilege_id}/end", response_model=PrivilegeAnswer, responses=_WRITE_PROBLEMS)
    async def end(privilege_id: PrivilegeId, body: EndBody, principal: Approver, key: IdempotencyKey) -> Response:
        """Give a privilege no more, within seconds, or drop a proposal. It does not come back."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await end_privilege(transaction, privilege_id, principal.client_id, body.reason))

        return await idempotent(database, principal, key, body, work)


def _add_reading(router: APIRouter, database: Database) -> None:
    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_privileges(principal: Reader, paging: Paging) -> Page[PrivilegeAnswer]:
        """Every privilege by its id, whatever became of it."""
        refuse_partners(principal, _WHAT)
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await privileges.load_page(transaction, position[0] if position else None, paging.limit + 1)
        shown = [PrivilegeAnswer.of(privilege) for privilege in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [one.terms.privilege_id for one in shown[-1:]])

    @router.get("/{privilege_id}", responses=problems(401, 403, 404, 422))
    async def get(privilege_id: PrivilegeId, principal: Reader) -> PrivilegeAnswer:
        """A privilege as it stands."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            found = await privileges.find(transaction, privilege_id)
        if found is None:
            raise not_found("privilege")
        return PrivilegeAnswer.of(found)


def _add_grants(router: APIRouter, database: Database) -> None:
    @router.put("/{privilege_id}/grants/{member_id}", responses=_WRITE_PROBLEMS)
    async def grant(privilege_id: PrivilegeId, member_id: UUID, body: GrantBody, principal: Writer) -> GrantAnswer:
        """Grant an offer to a member, or say another last day of it; a day that is over takes it back. The same again
        changes nothing.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> GrantAnswer:
            return GrantAnswer.of(
                await grant_privilege(transaction, privilege_id, member_id, body.last_day, principal.client_id)
            )

        return await database.run(work)


def _answer(privilege: Privilege) -> Answer:
    return Answer(200, PrivilegeAnswer.of(privilege))
