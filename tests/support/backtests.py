"""Backtests as tests run them: asked for over HTTP or by hand, and run here."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx2

from services.accrual.repository import backtests
from services.accrual.schemas.backtest_report import BacktestReport
from services.accrual.use_cases.run_backtest import BacktestRunner
from shared.database import Database
from tests.support.accrual import PROGRAMME
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
