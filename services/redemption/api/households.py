"""What members of a household see of each other. For the programme's own clients, in members' names."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import TypeAdapter

from services.redemption.api.members import TypeAsked
from services.redemption.programme import Programme
from services.redemption.schemas.statement import StatementLineAnswer
from services.redemption.use_cases.read_household import read_household_statement
from services.redemption.use_cases.read_statement import StatementPosition
from shared.database import Database
from shared.web import Page, Paging, Principal, encode_cursor, not_found, problems, requires

Reader = Annotated[Principal, requires("households:read")]
ReaderId = Annotated[UUID, Query(description="The member of the household who wants to see it.")]

_POSITION = TypeAdapter(tuple[int, int])


def households_router(database: Database, programme: Programme) -> APIRouter:
    """The route, on this process's database."""
    router = APIRouter(prefix="/v1/households", tags=["households"])

    @router.get("/{household_id}/members/{member_id}/statement", responses=problems(400, 401, 403, 404, 422))
    async def statement(
        household_id: UUID,
        member_id: UUID,
        reader_id: ReaderId,
        paging: Paging,
        principal: Reader,
        point_type: TypeAsked = None,
    ) -> Page[StatementLineAnswer]:
        """What a member of a household bought, newest first, for another one of it: if the member agreed to show it.

        Of one point type, without balances. 404 where the member shows the reader nothing, or one of them belongs to
        another household.
        """
        if not principal.sees(None):
            raise not_found("household")
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            page = await read_household_statement(
                transaction,
                principal,
                household_id,
                member_id,
                reader_id,
                programme.point_types.unit_of(point_type or programme.point_type),
                None if position is None else StatementPosition(*position),
                paging.limit,
            )
        following = page.next_position
        return Page(
            items=[StatementLineAnswer.of(line) for line in page.lines],
            next_cursor=None if following is None else encode_cursor((following.before_transfer_id, 0)),
        )

    return router
