"""Attributes: declared by the programme, filled and read by its own clients."""

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import TypeAdapter

from services.members.domain.accesses import Access, ReadPurpose
from services.members.schemas.attributes import (
    AttributeAnswer,
    AttributeBody,
    AttributesAnswer,
    AttributeSetAnswer,
    AttributeValueAnswer,
    AttributeValueBody,
)
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.present_member import present_id
from services.members.use_cases.read_attributes import read_attribute_history, read_attributes, read_declared
from services.members.use_cases.set_attribute import ToldValue, declare_attribute, set_attribute
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    problems,
    refuse_partners,
    requires,
)
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

Declarer = Annotated[Principal, requires("declarations:write")]
Writer = Annotated[Principal, requires("members:write")]
Reader = Annotated[Principal, requires("members:read")]
CodeInPath: TypeAlias = Annotated[str, Path(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)]

_BY_CODE = TypeAdapter(tuple[CodeText])
_BY_ENTRY = TypeAdapter(tuple[UUID])


def attributes_router(database: Database) -> APIRouter:
    """What the programme wants to know."""
    router = APIRouter(prefix="/v1/attributes", tags=["attributes"])

    @router.post(
        "", status_code=201, response_model=AttributeAnswer, responses=problems(400, 401, 403, 409, 413, 415, 422)
    )
    async def declare(body: AttributeBody, principal: Declarer, key: IdempotencyKey) -> Response:
        """Declare an attribute. It never changes, and a code that is taken is refused (409)."""
        refuse_partners(principal, "Attributes are declared")
        attribute = body.attribute()

        async def work(transaction: Transaction) -> Answer:
            await declare_attribute(transaction, attribute, principal.client_id)
            return Answer(201, AttributeAnswer.of(attribute))

        return await idempotent(database, principal, key, body, work)

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_attributes(_: Reader, paging: Paging) -> Page[AttributeAnswer]:
        """What is declared, by code."""
        position = paging.position(_BY_CODE)
        async with database.transaction() as transaction:
            found = await read_declared(
                transaction, after=None if position is None else position[0], rows_max=paging.limit + 1
            )
        shown = [AttributeAnswer.of(attribute) for attribute in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.code for answer in shown[-1:]])

    return router


def member_attributes_router(database: Database, master_keys: MasterKeys) -> APIRouter:
    """What members have. For the programme's own clients; who looks, and what for, is recorded."""
    router = APIRouter(prefix="/v1/members/{member_id}/attributes", tags=["attributes"])

    @router.put("/{code}", responses=problems(400, 401, 403, 404, 409, 413, 415, 422))
    async def put(member_id: UUID, code: CodeInPath, body: AttributeValueBody, principal: Writer) -> AttributeSetAnswer:
        """Say what a member has. The same again, with its time, changes nothing; the value is not repeated."""
        refuse_partners(principal, "Attributes are filled")
        told = ToldValue(
            entry_id=new_id(),
            member_id=member_id,
            code=code,
            told=body.value,
            source=body.source,
            stated_at=body.stated_at,
            recorded_by=principal.client_id,
        )
        return AttributeSetAnswer.of(
            *await database.run(lambda transaction: set_attribute(transaction, told, master_keys))
        )

    @router.get("", responses=problems(401, 403, 404, 409, 422))
    async def read(member_id: UUID, principal: Reader, purpose: ReadPurpose = "service") -> AttributesAnswer:
        """What a member has, by code."""
        refuse_partners(principal, "Attributes are shown")
        async with database.transaction() as transaction:
            member_id = await present_id(transaction, member_id)
            access = Access(member_id, principal.client_id, purpose, "attributes")
            found = await read_attributes(transaction, access, master_keys)
        return AttributesAnswer(member_id=member_id, attributes=[AttributeValueAnswer.of(*each) for each in found])

    @router.get("/{code}/history", responses=problems(400, 401, 403, 404, 409, 422))
    async def history(
        member_id: UUID, code: CodeInPath, principal: Reader, paging: Paging, purpose: ReadPurpose = "service"
    ) -> Page[AttributeValueAnswer]:
        """All that was said under one attribute, the newest recorded first."""
        refuse_partners(principal, "Attributes are shown")
        position = paging.position(_BY_ENTRY)
        async with database.transaction() as transaction:
            found = await read_attribute_history(
                transaction,
                Access(await present_id(transaction, member_id), principal.client_id, purpose, "attributes"),
                code,
                master_keys,
                before=None if position is None else position[0],
                rows_max=paging.limit + 1,
            )
        shown = [AttributeValueAnswer.of(*each) for each in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.entry_id for answer in shown[-1:]])

    return router
