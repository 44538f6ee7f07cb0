"""Backtests as tests run them: asked for over HTTP or by hand, and run here."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx2
import orjson

from services.accrual.repository import backtests
from services.accrual.schemas.backtest_report import BacktestReport, ComparedReport
from services.accrual.use_cases.run_backtest import BacktestRunner
from shared.database import Database
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, Tender
from tests.support.accrual import PROGRAMME
from tests.support.receipts import NOON, exchange_of, line, purchase, return_of, void_of
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


def differences(reports: Sequence[ComparedReport]) -> set[int]:
    """By how much drafts differ from what was awarded."""
    return {one.net_points_difference for one in reports}


async def awarded_by_rule(database: Database) -> dict[str, int]:
    """Points of each rule as they stand with the awards, before returns."""
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch("select decision from awards")
    points: dict[str, int] = {}
    for row in rows:
        for rule_id, given in orjson.loads(row["decision"])["applied"]:
            points[rule_id] = points.get(rule_id, 0) + given
    return {rule_id: given for rule_id, given in points.items() if given}


async def net_points(database: Database) -> tuple[int, int]:
    """Points of all awards, and what of them was taken back."""
    async with database.transaction() as transaction:
        row = await transaction.raw.fetchrow("select sum(points)::bigint, sum(taken_back)::bigint from awards")
    assert row is not None
    return row[0], row[1]


def exchanged(bought: Sequence[PurchaseRecorded]) -> list[list[PurchaseEvent]]:
    """Goods for dearer, equal and cheaper ones; of the first some come back, and the last is undone."""
    lines = [[line(1, 9_000), line(2, 500, "PRODUCE")], bought[1].data.lines[:1], [line(1, 100, "MEAT")]]
    dearer, equal, cheaper = (
        exchange_of(sale, 500 + number, {1: 1_000}, sold, occurred_at=sale.data.occurred_at + timedelta(minutes=5))
        for number, (sale, sold) in enumerate(zip(bought, lines, strict=True))
    )
    return [[dearer, equal, cheaper], [void_of(cheaper, 510), return_of(dearer, 511, {1: 400})]]


def handed_over(owner: UUID) -> list[list[PurchaseEvent]]:
    """Goods paid ahead: before their handover, with it in one batch, and heard of after it; some come back."""
    (paid, goods), (with_it, together), (later, alone) = (_paid_ahead(owner, number) for number in range(3))
    return [[paid], [goods], [with_it, together], [alone], [later], [return_of(alone, 930, {1: 300})]]


def _paid_ahead(owner: UUID, days: int) -> tuple[PurchaseRecorded, PurchaseRecorded]:
    at, number = NOON - timedelta(days=days), 900 + 10 * days
    paid = purchase(number, [line(1, 6_000, settlement="prepayment")], owner=owner, occurred_at=at)
    tenders = [Tender(kind="prepaid", amount_minor=6_000), Tender(kind="card", amount_minor=4_000)]
    goods = purchase(number + 1, [line(1, 10_000)], owner=owner, tenders=tenders, prepaid=[paid], occurred_at=at)
    return paid, goods
