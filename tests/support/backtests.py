"""Backtests as tests run them: asked for over HTTP or by hand, and run here."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx2

from services.accrual.repository import backtests
from services.accrual.schemas.backtest_report import BacktestReport
from services.accrual.use_cases.run_backtest import BacktestRunner
from shared.database import Database
from shared.events.purchases import PurchaseEvent, PurchaseRecorded
from tests.support.accrual import PROGRAMME
from tests.support.receipts import exchange_of, line, return_of, void_of
from tests.support.registries import bearing
from tests.support.until import until

PATH = "/v1/backtests"


async def asked(client: httpx2.AsyncClient, rule_set_id: str, day: date, **fields: Any) -> str:
    """Ask for a backtest of one day; its path comes back."""
    body = {"rule_set_id": rule_set_id, "from_date": f"{day}", "until_date": f"{day}"} | fields
    answer = await client.post(PATH, json=body, headers=bearing())
    assert answer.status_code == 202, answer.text
    return f"{PATH}/{answer.json()['backtest_id']}"


async def run_next(database: Database, reader: Database) -> UUID:
    """Run the backtest that has waited longest."""
    claimed = await database.run(backtests.claim)
    assert claimed is not None
    await BacktestRunner(reader, database, PROGRAMME).run(claimed)
    return claimed.backtest_id


async def run_when_asked(database: Database, reader: Database) -> None:
    """Run the one that somebody asks for meanwhile."""
    claimed = await until(lambda: database.run(backtests.claim))
    assert claimed is not None
    await BacktestRunner(reader, database, PROGRAMME).run(claimed)


async def report_of(client: httpx2.AsyncClient, path: str, **who: Any) -> BacktestReport:
    """Its report."""
    answer = await client.get(f"{path}/report", headers=bearing(**who))
    assert answer.status_code == 200, answer.text
    return BacktestReport.model_validate_json(answer.content)


def exchanged(bought: Sequence[PurchaseRecorded]) -> list[list[PurchaseEvent]]:
    """Goods for dearer, equal and cheaper ones; of the first some come back, and the last is undone."""
    lines = [[line(1, 9_000), line(2, 500, "PRODUCE")], bought[1].data.lines[:1], [line(1, 100, "MEAT")]]
    dearer, equal, cheaper = (
        exchange_of(sale, 500 + number, {1: 1_000}, sold, occurred_at=sale.data.occurred_at + timedelta(minutes=5))
        for number, (sale, sold) in enumerate(zip(bought, lines, strict=True))
    )
    return [[dearer, equal, cheaper], [void_of(cheaper, 510), return_of(dearer, 511, {1: 400})]]
