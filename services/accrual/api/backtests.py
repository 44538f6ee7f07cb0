"""``/v1/backtests``: what receipts of the past would have earned under a rule set, beside what they were awarded."""

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter

from services.accrual.api.backtest_page import backtest_page
from services.accrual.domain.backtests.requests import (
    BacktestEndedError,
    BacktestNotDoneError,
    BacktestNotFoundError,
    TooManyBacktestsError,
    UnusablePeriodError,
)
from services.accrual.programme import Programme
from services.accrual.repository import backtest_members, backtests
from services.accrual.schemas.backtest_report import BacktestReport
from services.accrual.schemas.backtests import BacktestAnswer, BacktestBody
from services.accrual.use_cases.ask_for_backtest import (
    ask_for_backtest,
    cancel_backtest,
    find_backtest,
    read_report,
)
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    invalid_field,
    problems,
    refuse_partners,
    requires,
)

Writer: TypeAlias = Annotated[Principal, requires("backtests:write")]
Reader: TypeAlias = Annotated[Principal, requires("backtests:read")]
_WHAT = "Backtests are"
SEES_MEMBERS = "backtests:members"

BACKTEST_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    BacktestNotFoundError: (404, "not-found", "Not found"),
    BacktestNotDoneError: (409, "backtest-not-done", "Backtest not done"),
    BacktestEndedError: (409, "backtest-ended", "Backtest ended"),
    TooManyBacktestsError: (409, "too-many-backtests", "Too many backtests"),
}
# A page that loads nothing and runs nothing, wherever it is shown.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
}

_NEWEST = TypeAdapter(tuple[datetime, UUID])


def backtests_router(database: Database, programme: Programme) -> APIRouter:
    """Ask for backtests, and end them."""
    router = APIRouter(prefix="/v1/backtests", tags=["backtests"])

    @router.post(
        "", status_code=202, response_model=BacktestAnswer, responses=problems(400, 401, 403, 404, 409, 413, 415, 422)
    )
    async def start(body: BacktestBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Judge receipts of the past by a rule set, draft or not. A worker runs it when its turn has come."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            try:
                asked = await ask_for_backtest(
                    transaction,
                    programme,
                    principal.client_id,
                    rule_set_id=body.rule_set_id,
                    from_date=body.from_date,
                    until_date=body.until_date,
                    partners=tuple(body.partners),
                    sample_percent=body.sample_percent,
                    point_price=body.point_price,
                    partner_prices=body.partner_prices,
                )
            except UnusablePeriodError as error:
                raise invalid_field(error.field, str(error)) from error
            return Answer(202, BacktestAnswer.of(asked))

        return await idempotent(database, principal, key, body, work)

    @router.post(
        "/{backtest_id}/cancel", response_model=BacktestAnswer, responses=problems(400, 401, 403, 404, 409, 422)
    )
    async def cancel(backtest_id: UUID, principal: Writer, key: IdempotencyKey) -> Response:
        """End a backtest that waits or runs, at once; nothing of it is kept."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            ended = await cancel_backtest(transaction, backtest_id, principal.client_id)
            return Answer(200, BacktestAnswer.of(ended))

        return await idempotent(database, principal, key, None, work)

    return router


def backtest_reports_router(database: Database) -> APIRouter:
    """How far backtests have come, and what came of them."""
    router = APIRouter(prefix="/v1/backtests", tags=["backtests"])

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_backtests(principal: Reader, paging: Paging) -> Page[BacktestAnswer]:
        """Backtests, the newest first."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            found = await backtests.load_page(transaction, paging.position(_NEWEST), paging.limit + 1)
        shown = [BacktestAnswer.of(one) for one in found[: paging.limit]]
        position = [each for answer in shown[-1:] for each in (answer.created_at, answer.backtest_id)]
        return Page.of(found, paging.limit, shown, position)

    @router.get("/{backtest_id}", responses=problems(401, 403, 404, 422))
    async def read(backtest_id: UUID, principal: Reader) -> BacktestAnswer:
        """Where a backtest stands, and how far it has come."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            return BacktestAnswer.of(await find_backtest(transaction, backtest_id))

    @router.get("/{backtest_id}/report", responses=problems(401, 403, 404, 409, 422))
    async def report(backtest_id: UUID, principal: Reader) -> BacktestReport:
        """The report. Which members win and lose most is told to those with ``backtests:members``."""
        return await _report(database, backtest_id, principal)

    @router.get("/{backtest_id}/report.html", response_class=HTMLResponse, responses=problems(401, 403, 404, 409, 422))
    async def page(backtest_id: UUID, principal: Reader) -> HTMLResponse:
        """The same as one page with plots, to keep or to print; it loads nothing and runs no script."""
        found = await _report(database, backtest_id, principal)
        return HTMLResponse(backtest_page(found), headers=PAGE_HEADERS)

    return router


async def _report(database: Database, backtest_id: UUID, principal: Principal) -> BacktestReport:
    refuse_partners(principal, _WHAT)
    async with database.transaction() as transaction:
        report = BacktestReport.model_validate_json(await read_report(transaction, backtest_id))
        if SEES_MEMBERS not in principal.scopes:
            return report
        return report.naming(await backtest_members.load(transaction, backtest_id))
