"""What a member has, and how it came about."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import TypeAdapter

from services.redemption.api.reading import shown_at_till
from services.redemption.programme import Programme
from services.redemption.schemas.balances import BalanceLookupBody, MemberBalanceAnswer
from services.redemption.schemas.statement import StatementLineAnswer
from services.redemption.use_cases.look_up_balance import look_up_balance
from services.redemption.use_cases.read_balance import read_balance
from services.redemption.use_cases.read_member import read_dated, read_spendable
from services.redemption.use_cases.read_statement import StatementPosition, read_statement
from shared.database import Database
from shared.point_types import Unit
from shared.web import Page, PageRequest, Paging, Principal, encode_cursor, problems, refuse_partners, requires

Reader = Annotated[Principal, requires("balances:read")]

TypeAsked = Annotated[str | None, Query(min_length=1, max_length=64, description="Absent: the programme's own type.")]

ByDateAsked = Annotated[
    bool,
    Query(description="Also what lapses when, and what can be spent from when: the programme's own clients alone."),
]

_POSITION = TypeAdapter(tuple[int, int])


def members_router(database: Database, programme: Programme) -> APIRouter:
    """Balances and statements; changes nothing."""
    router = APIRouter(prefix="/v1/members", tags=["members"])
    spent = programme.point_types.spent_codes

    @router.get("/{member_id}/balance", responses=problems(401, 403, 404, 422))
    async def balance(member_id: UUID, principal: Reader, by_date: ByDateAsked = False) -> MemberBalanceAnswer:
        """What a member has by point type, may spend of its household, and on what, as last committed.

        A till of any partner may ask: it must know before it offers to take points. Days would tell it when the member
        was at others', so ``by_date`` is the programme's. A member who was merged away is answered with the
        survivor's id and balances.
        """
        if by_date:
            refuse_partners(principal, "points are told by date")
        # Dates that are told must add up to the balances beside them: then all is of one moment.
        async with database.transaction(is_snapshot=True) if by_date else database.glance() as transaction:
            found = await read_balance(transaction, member_id, spent, debt_stops_spending=programme.debt_stops_spending)
            dated = await read_dated(transaction, found.owner_id, found.balances) if by_date else {}
        return MemberBalanceAnswer.of(*found, programme.point_types, dated)

    @router.get("/{member_id}/statement", responses=problems(400, 401, 403, 404, 422))
    async def statement(
        member_id: UUID, paging: Paging, principal: Reader, point_type: TypeAsked = None
    ) -> Page[StatementLineAnswer]:
        """A member's history of one point type in plain words, newest first; by itself of the programme's own.

        The programme's clients see all of it with the running balance. A partner's client sees what happened at its
        own partner, without the balance; its pages may be short before the last one.
        """
        unit = programme.point_types.unit_of(point_type or programme.point_type)
        return await read_statement_page(database, principal, member_id, unit, paging)

    return router


async def read_statement_page(
    database: Database, principal: Principal, member_id: UUID, unit: Unit, paging: PageRequest
) -> Page[StatementLineAnswer]:
    """One page of a member's statement of one point type, as the caller may see it.

    Raises:
        Problem: 400 for a cursor of another list.
        UnknownMemberError: the registry has not told of this member, or has erased them.
    """
    position = paging.position(_POSITION)
    async with database.transaction() as transaction:
        page = await read_statement(
            transaction,
            principal,
            member_id,
            unit,
            None if position is None else StatementPosition(*position),
            paging.limit,
        )
    following = page.next_position
    return Page(
        items=[StatementLineAnswer.of(line) for line in page.lines],
        next_cursor=None if following is None else encode_cursor((following.before_transfer_id, following.available)),
    )


def lookup_router(database: Database, programme: Programme) -> APIRouter:
    """Balances for a till that knows a member by what was shown there; changes nothing."""
    router = APIRouter(prefix="/v1", tags=["members"])
    spent = programme.point_types.spent_codes

    @router.post("/balances:lookup", responses=problems(400, 401, 403, 404, 409, 413, 415, 422))
    async def lookup(body: BalanceLookupBody, _: Reader) -> MemberBalanceAnswer:
        """What the member has who is named by a card, a phone or a QR token, if the programme shows it for such a one.

        No effect, so no Idempotency-Key; a POST, so that the value stands in no log.
        """
        shown = shown_at_till(programme, body.identifier)
        async with database.glance() as transaction:
            member_id, balances = await look_up_balance(transaction, shown, spent)
            spendable = await read_spendable(
                transaction,
                member_id,
                balances,
                spent,
                debt_stops_spending=programme.debt_stops_spending,
            )
        return MemberBalanceAnswer.of(member_id, balances, spendable, programme.point_types)

    return router
