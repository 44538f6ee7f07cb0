"""A partner's operators. A client that is bound to another partner does not find them."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.coalition.api.stores import refuse_strangers
from services.coalition.domain.operators import Operator, OperatorChange, OperatorHashing
from services.coalition.schemas.fields import CodeInPath
from services.coalition.schemas.operators import (
    OperatorAnswer,
    OperatorBody,
    OperatorChangeBody,
    OperatorHashInPath,
    OperatorOutcome,
    OperatorsAnswer,
    OperatorsBody,
)
from services.coalition.use_cases.change_operator import change_operator
from services.coalition.use_cases.read_operators import read_operator, read_operators
from services.coalition.use_cases.register_operators import register_operator, register_operators
from shared.database import Database, Transaction
from shared.ids import InvalidIdentifierError
from shared.web import (
    Answer,
    Body,
    IdempotencyKey,
    IfMatch,
    Page,
    Paging,
    Principal,
    etag,
    idempotent,
    invalid_field,
    problems,
    requires,
)

Writer = Annotated[Principal, requires("operators:write")]
Reader = Annotated[Principal, requires("operators:read")]

_POSITION = TypeAdapter(tuple[OperatorHashInPath])
_REGISTER_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def operators_router(database: Database, hashing: OperatorHashing) -> APIRouter:
    """Register operators, one or many, and list them."""
    router = APIRouter(prefix="/v1/partners/{partner_id}", tags=["operators"])

    @router.post("/operators", status_code=201, response_model=OperatorAnswer, responses=_REGISTER_PROBLEMS)
    async def register(partner_id: CodeInPath, body: OperatorBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Register an operator. One that the partner has already is refused (409)."""
        refuse_strangers(principal, partner_id)
        new = _new_operator(hashing, partner_id, body, "")

        async def work(transaction: Transaction) -> Answer:
            return Answer(201, OperatorAnswer.of(await register_operator(transaction, new, principal.client_id)))

        return await idempotent(database, principal, key, _fingerprint(hashing, body), work)

    @router.post("/operators:batch", status_code=201, response_model=OperatorsAnswer, responses=_REGISTER_PROBLEMS)
    async def register_many(
        partner_id: CodeInPath, body: OperatorsBody, principal: Writer, key: IdempotencyKey
    ) -> Response:
        """Register many operators in one transaction; one outcome an operator, in the order of the request.

        One that is there already stays as it is; its ``operator_hash`` stands in the answer, so that it can be changed.
        """
        refuse_strangers(principal, partner_id)
        new = [
            _new_operator(hashing, partner_id, each, f"/operators/{index}") for index, each in enumerate(body.operators)
        ]

        async def work(transaction: Transaction) -> Answer:
            written = await register_operators(transaction, partner_id, new, principal.client_id)
            outcomes = [
                OperatorOutcome(
                    operator_hash=operator.operator_hash,
                    outcome="registered" if operator.operator_hash in written else "existed",
                )
                for operator in new
            ]
            return Answer(201, OperatorsAnswer(partner_id=partner_id, operators=outcomes))

        return await idempotent(database, principal, key, _fingerprint(hashing, body), work)

    @router.get("/operators", responses=problems(400, 401, 403, 404, 422))
    async def list_operators(partner_id: CodeInPath, principal: Reader, paging: Paging) -> Page[OperatorAnswer]:
        """Operators in the order of their hashes."""
        refuse_strangers(principal, partner_id)
        position = paging.position(_POSITION)
        after = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await read_operators(transaction, partner_id, after=after, rows_max=paging.limit + 1)
        shown = [OperatorAnswer.of(operator) for operator in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.operator_hash for answer in shown[-1:]])

    return router


def operator_changes_router(database: Database, hashing: OperatorHashing) -> APIRouter:
    """One operator, with its version."""
    router = APIRouter(prefix="/v1/partners/{partner_id}/operators", tags=["operators"])

    @router.get("/{operator_hash}", responses=problems(401, 403, 404, 422))
    async def read(
        partner_id: CodeInPath, operator_hash: OperatorHashInPath, principal: Reader, response: Response
    ) -> OperatorAnswer:
        """One operator, with its version as ETag."""
        refuse_strangers(principal, partner_id)
        async with database.transaction() as transaction:
            operator = await read_operator(transaction, partner_id, operator_hash)
        response.headers.update(etag(operator.version))
        return OperatorAnswer.of(operator)

    @router.patch("/{operator_hash}", responses=problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 428))
    async def change(
        partner_id: CodeInPath,
        operator_hash: OperatorHashInPath,
        body: OperatorChangeBody,
        principal: Writer,
        version: IfMatch,
        response: Response,
    ) -> OperatorAnswer:
        """Say that an operator has left or is back, and which own card there is; null takes it away.

        Whoever leaves has no own card any more; one that is named for somebody who has left is refused (409).
        """
        refuse_strangers(principal, partner_id)
        wanted = OperatorChange(
            body.state, _cards(hashing, body.own_card, "") if "own_card" in body.model_fields_set else None
        )

        async def work(transaction: Transaction) -> Operator:
            return await change_operator(
                transaction,
                partner_id,
                operator_hash,
                wanted,
                expected_version=version,
                author=principal.client_id,
            )

        operator = await database.run(work)
        response.headers.update(etag(operator.version))
        return OperatorAnswer.of(operator)

    return router


def _new_operator(hashing: OperatorHashing, partner_id: str, body: OperatorBody, pointer: str) -> Operator:
    return Operator(
        partner_id,
        hashing.operator_hash(partner_id, body.operator_id),
        own_card_hashes=_cards(hashing, body.own_card, pointer),
    )


def _cards(hashing: OperatorHashing, card: str | None, pointer: str) -> tuple[str, ...]:
    """What may stand for the card; one that cannot be is a problem that names the field and not what it held."""
    if card is None:
        return ()
    try:
        return hashing.card_hashes(card)
    except InvalidIdentifierError as error:
        raise invalid_field(f"{pointer}/own_card", str(error)) from None


def _fingerprint(hashing: OperatorHashing, body: Body) -> bytes:
    """What tells a retry from another request."""
    return hashing.fingerprint(body.model_dump_json().encode())
