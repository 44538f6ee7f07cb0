"""A worker's backtests: each runs in a process of its own, so that neither consumers nor requests wait for it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.accrual import metrics
from services.accrual.backtest_process import BacktestJob
from services.accrual.domain.backtests.requests import ClaimedBacktest
from services.accrual.repository import backtests
from services.accrual.settings import AccrualSettings
from shared.database import Database

RUNNING_MAX = 1  # of each worker
END_SECONDS_MAX = 5.0
COMMAND = (sys.executable, "-m", "services.accrual.backtest_process")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Running:
    backtest: ClaimedBacktest
    process: Process


class BacktestProcesses:
    """One a worker. A backtest whose process dies is begun again when its lease has run out, by whichever worker."""

    def __init__(self, database: Database, settings: AccrualSettings) -> None:
        self._database = database
        self._settings = settings
        self._running: list[_Running] = []

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [one.process.pid for one in self._running]

    async def look_after(self) -> None:
        """See which have ended, and begin what waits as long as there is room."""
        for one in [each for each in self._running if each.process.returncode is not None]:
            self._running.remove(one)
            metrics.BACKTESTS.labels("ended" if one.process.returncode == 0 else "died").inc()
            if one.process.returncode:
                log.warning("a backtest's process died", exit_code=one.process.returncode)
        while len(self._running) < RUNNING_MAX:
            claimed = await self._database.run(backtests.claim)
            if claimed is None:
                return
            self._running.append(_Running(claimed, await self._begin(claimed)))

    async def stop(self) -> None:
        """End what runs here, and let another worker begin it again at once."""
        while self._running:
            one = self._running.pop()
            await _end(one.process)
            with suppress(OSError, SQLAlchemyError):  # without a database it is begun again once its lease has run out
                await self._database.run(
                    partial(backtests.release, backtest_id=one.backtest.backtest_id, epoch=one.backtest.epoch)
                )

    async def _begin(self, claimed: ClaimedBacktest) -> Process:
        process = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE)
        if process.stdin is None:
            raise RuntimeError("the process has no standard input")
        process.stdin.write(self._job(claimed).model_dump_json().encode() + b"\n")
        with suppress(ConnectionError):  # it died at once: the next pass sees that
            await process.stdin.drain()
        return process

    def _job(self, claimed: ClaimedBacktest) -> BacktestJob:
        settings = self._settings
        own_url = settings.database_url.get_secret_value()
        reader = settings.reader_database_url
        return BacktestJob(
            backtest_id=claimed.backtest_id,
            epoch=claimed.epoch,
            database_url=own_url,
            reader_url=own_url if reader is None else reader.get_secret_value(),
            point_type=settings.point_type,
            currency=settings.currency,
            time_zone=settings.time_zone,
            parked_window_days=settings.parked_window_days,
            receipt_retro_days=settings.receipt_retro_days,
            log_level=settings.log_level,
        )


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_SECONDS_MAX):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
