"""``python -m services.accrual.backtest_process``: one backtest, in a process of its own.

What to run, and where, comes as a line of JSON on standard input, from the worker that has come to run it. As long as
that lives it keeps the other end open: when it is gone this ends too, and another worker begins again.
"""

import asyncio
import gc
import os
import sys
import threading
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
import uvloop
from pydantic import BaseModel, ConfigDict

from services.accrual.domain.backtests.requests import ClaimedBacktest
from services.accrual.domain.content_keys import ContentKeys
from services.accrual.programme import Programme
from services.accrual.repository import backtests
from services.accrual.use_cases.run_backtest import BacktestRunner, BacktestStoppedError
from shared.database import Database, Transaction
from shared.runtime.run import GC_THRESHOLDS
from shared.telemetry.logs import configure_logs

NICENESS = 10  # tills and consumers come first
CONNECTIONS_MAX = 2
EXIT_FAILED, EXIT_ORPHANED = 1, 3

log = structlog.get_logger(__name__)


class BacktestJob(BaseModel):
    """All that the process is told. It holds passwords: it goes through a pipe, and is never shown."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    backtest_id: UUID
    epoch: int
    database_url: str
    reader_url: str
    point_type: str
    currency: str
    time_zone: str
    parked_window_days: int
    receipt_retro_days: int
    log_level: str


async def run(job: BacktestJob) -> None:
    """Run it. One that was cancelled, or is another's by now, ends without a word."""
    zone = ZoneInfo(job.time_zone)
    programme = Programme(
        point_type=job.point_type,
        currency=job.currency,
        zone=zone,
        parked_window=timedelta(days=job.parked_window_days),
        content_keys=ContentKeys(()),
        retro_window=timedelta(days=job.receipt_retro_days),
    )
    database = Database(job.database_url, connections_max=CONNECTIONS_MAX, zone=zone)
    reader = Database(job.reader_url, connections_max=CONNECTIONS_MAX, zone=zone)

    async def find(transaction: Transaction) -> ClaimedBacktest | None:
        return await backtests.find_claimed(transaction, job.backtest_id, job.epoch)

    try:
        claimed = await database.run(find)
        if claimed is not None:
            await BacktestRunner(reader, database, programme).run(claimed)
    except BacktestStoppedError:
        log.info("a backtest was stopped", backtest_id=str(job.backtest_id))
    finally:
        await reader.close()
        await database.close()


def _end_with_the_worker() -> None:
    # Unbuffered: who waits in the buffer holds its lock, and Python aborts where it finds that held at its end.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(EXIT_ORPHANED)  # the worker has closed its end, or is gone


def main() -> None:
    """Read the job, and run it."""
    job = BacktestJob.model_validate_json(sys.stdin.buffer.readline())
    configure_logs(service="accrual", role="backtest", level=job.log_level)
    os.nice(NICENESS)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)  # as the services have it: a page is many objects without cycles
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(run(job))
        except Exception:  # Python itself would print it with the data that it is about
            log.exception("a backtest failed", backtest_id=str(job.backtest_id))
            sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
