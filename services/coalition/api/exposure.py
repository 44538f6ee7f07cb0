"""Payments of partners, and where they stand."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.coalition import metrics
from services.coalition.domain.exposure import Judged
from services.coalition.domain.top_ups import TopUp
from services.coalition.schemas.exposure import ExposureAnswer, TopUpAnswer, TopUpBody
from services.coalition.schemas.fields import CodeInPath
from services.coalition.use_cases.book_top_up import book_top_up
from services.coalition.use_cases.read_exposure import read_exposure, read_top_ups
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    invalid_field,
    not_found,
    problems,
    refuse_partners,
    requires,
)

Booker = Annotated[Principal, requires("top-ups:write")]
Reader = Annotated[Principal, requires("contracts:read")]

_POSITION = TypeAdapter(tuple[CodeText])


def exposure_router(database: Database) -> APIRouter:
    """Book and read payments, read exposure."""
    router = APIRouter(prefix="/v1/partners/{partner_id}", tags=["exposure"])

    @router.post(
        "/top-ups",
        status_code=201,
        response_model=TopUpAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def top_up(partner_id: CodeInPath, body: TopUpBody, principal: Booker, key: IdempotencyKey) -> Response:
        """Book a payment, for the programme's own clients. The same document again books nothing, for ever; with
        another amount it is refused (409)."""
        if not principal.sees(partner_id):
            raise not_found("partner")
        refuse_partners(principal, "Payments are booked")
        if body.amount_minor == 0:
            raise invalid_field("/amount_minor", "a payment moves money: send an amount other than zero")
        moved: list[Judged] = []

        async def work(transaction: Transaction) -> Answer:
            payment = TopUp(
                partner_id,
                body.document_number,
                body.amount_minor,
                body.currency,
                transaction.now,
                principal.client_id,
            )
            booked, moved[:] = await book_top_up(transaction, payment)
            return Answer(201, TopUpAnswer.of(booked))

        response = await idempotent(database, principal, key, body, work)
        metrics.show(moved)
        return response

    @router.get("/top-ups", responses=problems(400, 401, 403, 404, 422))
    async def list_top_ups(partner_id: CodeInPath, principal: Reader, paging: Paging) -> Page[TopUpAnswer]:
        """Payments in the order of their document numbers."""
        _refuse_strangers(principal, partner_id)
        position = paging.position(_POSITION)
        after = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await read_top_ups(transaction, partner_id, after=after, rows_max=paging.limit + 1)
        shown = [TopUpAnswer.of(payment) for payment in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.document_number for answer in shown[-1:]])

    @router.get("/exposure", responses=problems(401, 403, 404, 422))
    async def exposure(partner_id: CodeInPath, principal: Reader) -> ExposureAnswer:
        """Where the partner stands by everything that was counted and paid so far."""
        _refuse_strangers(principal, partner_id)
        async with database.transaction() as transaction:
            return ExposureAnswer.of(await read_exposure(transaction, partner_id))

    return router


def _refuse_strangers(principal: Principal, partner_id: str) -> None:
    if not principal.sees(partner_id):
        raise not_found("partner")
