"""Ranges of printed cards. For the programme's own clients."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.domain.card_ranges import CardRange, RangeState
from services.members.schemas.card_ranges import CardRangeAnswer, CardRangeBody, CardRangeChangeBody, CardRangesAnswer
from services.members.use_cases.declare_card_range import change_card_range, declare_card_range, read_card_ranges
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, requires

Changer = Annotated[Principal, requires("identifiers:write")]

_CHANGE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def card_ranges_router(database: Database) -> APIRouter:
    """Declaring, issuing, withdrawing, and seeing what there is."""
    router = APIRouter(prefix="/v1/card-ranges", tags=["card ranges"])

    @router.post(
        "", status_code=201, response_model=CardRangeAnswer, responses=problems(400, 401, 403, 409, 413, 415, 422)
    )
    async def declare(body: CardRangeBody, principal: Changer, key: IdempotencyKey) -> Response:
        """Declare cards that were printed: they are nobody's, and may be linked once they are issued."""
        wanted = CardRange(
            range_id=new_id(),
            batch=body.batch,
            first_number=body.prefix + body.first,
            last_number=body.prefix + body.last,
            check_digit=body.check_digit,
            links_before_issue=body.links_before_issue,
            state="printed",
        )

        async def work(transaction: Transaction) -> Answer:
            declared = await declare_card_range(transaction, wanted, principal.client_id)
            return Answer(201, CardRangeAnswer.of(declared))

        return await idempotent(database, principal, key, body, work)

    async def change(
        range_id: UUID, state: RangeState, body: CardRangeChangeBody, principal: Principal, key: IdempotencyKey
    ) -> Response:
        async def work(transaction: Transaction) -> Answer:
            changed = await change_card_range(transaction, range_id, state, body.reason_code, principal.client_id)
            return Answer(200, CardRangeAnswer.of(changed))

        return await idempotent(database, principal, key, body, work)

    @router.post("/{range_id}:issue", response_model=CardRangeAnswer, responses=_CHANGE_PROBLEMS)
    async def issue(range_id: UUID, body: CardRangeChangeBody, principal: Changer, key: IdempotencyKey) -> Response:
        """The cards are being handed out: they may be linked from now on."""
        return await change(range_id, "issued", body, principal, key)

    @router.post("/{range_id}:withdraw", response_model=CardRangeAnswer, responses=_CHANGE_PROBLEMS)
    async def withdraw(range_id: UUID, body: CardRangeChangeBody, principal: Changer, key: IdempotencyKey) -> Response:
        """No card of it may be linked any more, for good. Those that are somebody's stay so."""
        return await change(range_id, "withdrawn", body, principal, key)

    @router.get("", responses=problems(401, 403))
    async def show(_: Changer) -> CardRangesAnswer:
        """All ranges and how they stand."""
        async with database.transaction() as transaction:
            ranges = await read_card_ranges(transaction)
        return CardRangesAnswer(ranges=[CardRangeAnswer.of(card_range) for card_range in ranges])

    return router
