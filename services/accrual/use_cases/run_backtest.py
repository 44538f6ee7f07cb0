"""Runs one backtest from its first page to its report, in a process of its own."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from pydantic import ValidationError

from services.accrual.domain.backtests.counters import BacktestTooLargeError
from services.accrual.domain.backtests.judging import Judge
from services.accrual.domain.backtests.receipts import TakenReturn
from services.accrual.domain.backtests.requests import ClaimedBacktest, Failure, millionths
from services.accrual.domain.backtests.sums import Prices
from services.accrual.domain.backtests.tally import Tally
from services.accrual.domain.backtests.told import told_of
from services.accrual.domain.rules import RuleSet
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import backtest_members, backtests, decided_receipts, projections
from services.accrual.repository.decided_receipts import DecidedPage
from services.accrual.schemas.backtest_report import BacktestReport
from services.accrual.use_cases.decide_documents import FAULTS_OF_RULES
from services.accrual.use_cases.load_backtest_page import (
    BacktestPage,
    Selection,
    complete_page,
    fetch_page,
    read_page,
)
from services.accrual.use_cases.read_document import FUTURE_TOLERANCE
from services.accrual.use_cases.report_backtest import report_backtest
from shared.database import Database, Transaction
from shared.rule_sets.answers import VERSION_MAX

PROGRESS_SECONDS = 0.5
# A receipt may come as late as the programme takes it, wait for its member as long as it may, and be set aside as long
# as its topic of dead letters keeps it.
SET_ASIDE = timedelta(days=90)

log = structlog.get_logger(__name__)


class BacktestStoppedError(Exception):
    """It was cancelled, or is run by another by now: whatever is done for it counts no more."""


@dataclass(frozen=True, slots=True)
class BacktestRunner:
    """Reads as ``reader`` (a role without time limits), and writes how far it has come as the service."""

    reader: Database
    database: Database
    programme: Programme

    async def run(self, backtest: ClaimedBacktest) -> None:
        """Judge everything again, from the beginning, and keep the report.

        Nothing but the backtest's own row is written. Its decisions are in the order of the live ones.

        Raises:
            BacktestStoppedError: nothing is kept.
        """
        begin = _midnight(backtest.request.from_date, self.programme.zone)
        try:
            draft = _as_judging(backtest, begin)
        except ValidationError:
            await self._fail(backtest, "faulty_rule_set")
            return
        try:
            await _Run(self, backtest, draft, begin).run()
        except BacktestTooLargeError as error:
            log.warning("a backtest is too large", backtest_id=str(backtest.backtest_id), reason=str(error))
            await self._fail(backtest, "too_large")

    async def _fail(self, backtest: ClaimedBacktest, failure: Failure) -> None:
        await self.database.run(
            partial(backtests.fail, backtest_id=backtest.backtest_id, epoch=backtest.epoch, failure=failure)
        )


class _Run:
    def __init__(self, runner: BacktestRunner, backtest: ClaimedBacktest, draft: RuleSet, begin: datetime) -> None:
        self._runner = runner
        self._backtest = backtest
        self._draft = draft
        self._begins_at = begin
        self._zone = runner.programme.zone
        self._rules = PublishedRules()
        self._read = 0
        self._expected = 0
        self._told_at_seconds = 0.0

    async def run(self) -> None:
        request, programme = self._backtest.request, self._runner.programme
        draft, begin = self._draft, self._begins_at
        end = _midnight(request.until_date + timedelta(days=1), self._zone)
        after = begin - FUTURE_TOLERANCE - timedelta(microseconds=1)
        decided_end = await self._begin(after, end)
        in_force = self._rules.history.judging(begin, end)
        told = told_of(draft, in_force)
        selection = Selection(
            draft=draft,
            told=told,
            rules=self._rules,
            begin=begin,
            end=end,
            begins_on=request.from_date,
            zone=self._zone,
            point_type=programme.point_type,
            partners=frozenset(request.partners),
            sample_percent=request.sample_percent,
        )
        judge = Judge(draft, request.from_date, told)
        prices = {partner_id: millionths(price) for partner_id, price in request.partner_prices.items()}
        tally = Tally(draft, Prices(prices, millionths(request.point_price)), self._zone)
        await self._go_through(selection, after, decided_end, judge, tally)
        report = report_backtest(self._backtest, programme, judge, tally, in_force, decided_end)
        await self._finish(report)

    async def _begin(self, after: datetime, end: datetime) -> datetime:
        """Read the rules, and until when receipts of the period may have been decided."""

        async def work(transaction: Transaction) -> datetime:
            await self._rules.refresh(transaction)
            decided_end = _last_decided(end, transaction.now, self._runner.programme)
            self._expected = await decided_receipts.expect(transaction, after, max(after, decided_end))
            return decided_end

        return await self._runner.reader.run(work)

    async def _go_through(
        self, selection: Selection, after: datetime, decided_end: datetime, judge: Judge, tally: Tally
    ) -> None:
        """Page after page. While one is decoded and judged, in a thread, the next one is fetched."""
        reader = self._runner.reader
        following: asyncio.Task[DecidedPage] | None = self._fetch(after, decided_end)
        try:
            while following is not None:
                fetched = await following
                following = None if fetched.is_last else self._fetch(fetched.until, decided_end)
                await self._tell()
                read = await asyncio.to_thread(read_page, fetched, selection)
                page = await reader.run(partial(complete_page, read=read, selection=selection))
                await asyncio.to_thread(judge_page, page, judge, tally)
                self._read += page.documents
        finally:
            if following is not None:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    def _fetch(self, after: datetime, decided_end: datetime) -> asyncio.Task[DecidedPage]:
        fetching = partial(fetch_page, after=after, decided_end=decided_end)
        return asyncio.create_task(self._runner.reader.run(fetching))

    async def _tell(self) -> None:
        now_seconds = time.monotonic()
        if now_seconds < self._told_at_seconds + PROGRESS_SECONDS:
            return
        self._told_at_seconds = now_seconds
        backtest = self._backtest
        expected = max(self._expected, self._read)
        if not await self._runner.database.run(
            partial(
                backtests.save_progress,
                backtest_id=backtest.backtest_id,
                epoch=backtest.epoch,
                receipts_read=self._read,
                receipts_expected=expected,
            )
        ):
            raise BacktestStoppedError

    async def _finish(self, report: BacktestReport) -> None:
        """Keep the report, and beside it whom it names: whoever is erased meanwhile is named by neither."""
        backtest_id, epoch, named = self._backtest.backtest_id, self._backtest.epoch, report.named()
        kept = report.without_members().model_dump_json().encode()

        async def work(transaction: Transaction) -> bool:
            await projections.lock_members(transaction, [member_id for member_id, _ in named])
            is_kept = await backtests.finish(transaction, backtest_id, epoch, kept, self._read)
            if is_kept:
                await backtest_members.save(transaction, backtest_id, named)
            return is_kept

        if not await self._runner.database.run(work):
            raise BacktestStoppedError


def judge_page(page: BacktestPage, judge: Judge, tally: Tally) -> None:
    """Judge what was decided, in its order.

    Raises:
        BacktestTooLargeError: too much is to be counted.
    """
    tally.not_judged += page.left_out
    for one in page.decided:
        if isinstance(one, TakenReturn):
            returned = judge.take_back(one)
            if returned is not None:
                tally.count_return(returned)
            continue
        try:
            taken = list(judge.hand_over(one))
            judged = judge.judge(one, page.before)
            taken += judge.give_to_handover(one)
        except FAULTS_OF_RULES as error:  # live, it would be set aside
            if not tally.not_judged:
                log.warning("a backtest's rule set cannot be applied to a receipt", reason=type(error).__name__)
            tally.not_judged += 1
        else:
            tally.count(judged)
            for returned in taken:
                tally.count_return(returned)


def _as_judging(backtest: ClaimedBacktest, begin: datetime) -> RuleSet:
    """The document as if it took effect when the period begins."""
    document: Mapping[str, object] = backtest.rule_set
    drafted = RuleSet.model_validate({**document, "version": VERSION_MAX, "effective_from": begin.astimezone(UTC)})
    return drafted.for_purchases


def _last_decided(end: datetime, now: datetime, programme: Programme) -> datetime:
    """Until when receipts from before ``end`` may have been decided, as far as that has come."""
    if programme.retro_window > now - end:
        return now
    return min(now, end + programme.retro_window + programme.parked_window + SET_ASIDE)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time_of_day(), zone)
