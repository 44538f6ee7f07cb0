"""What redemption does by itself as time passes; each pass goes page by page, each page in its own transaction."""

from functools import partial

from services.redemption import metrics
from services.redemption.counting import count_returns, count_tenders
from services.redemption.programme import Programme
from services.redemption.repository import goods_returns, receipts, waiting_tenders
from services.redemption.use_cases.close_vouchers import EXPIRY_PAGE_ROWS as VOUCHERS_PAGE_ROWS
from services.redemption.use_cases.close_vouchers import expire_vouchers
from services.redemption.use_cases.expire_holds import EXPIRY_PAGE_ROWS, expire_holds
from services.redemption.use_cases.settle_returns import settle_returns, tell_unread
from services.redemption.use_cases.settle_tenders import TenderReport, settle_tenders
from shared import ledger
from shared.database import Database, Transaction, read_to
from shared.events.catalogue import PURCHASES

SERVICE = "redemption"
EXPIRE_SECONDS = 1.0
SWEEP_SECONDS = 10.0
SWEEP_PAGE_ROWS = 100


class Timers:
    """The periodic work of a worker. Several workers may do it at once; cut off anywhere, it goes on the next time."""

    def __init__(self, database: Database, programme: Programme) -> None:
        self._database = database
        self._programme = programme

    async def expire(self) -> None:
        """Let holds go whose time is over, as far as purchases have been read, and say in the ledger how far that is:
        what lapses for want of activity waits for it."""
        expired = EXPIRY_PAGE_ROWS
        while expired == EXPIRY_PAGE_ROWS:
            expired = await self._database.run(self._expire_page)
            metrics.EXPIRED.inc(expired)
        await self._database.run(self._say_posted_to)

    async def expire_vouchers(self) -> None:
        """Close vouchers whose time is over."""
        expired = VOUCHERS_PAGE_ROWS
        while expired == VOUCHERS_PAGE_ROWS:
            expire = partial(expire_vouchers, came_back_days=self._programme.came_back_days)
            expired = await self._database.run(expire)
            metrics.VOUCHERS_EXPIRED.inc(expired)

    async def sweep(self) -> None:
        """Try waiting tenders again whose member is known by now, and returns whose receipt is; say how much waits."""
        tried = SWEEP_PAGE_ROWS
        while tried == SWEEP_PAGE_ROWS:
            async with self._database.transaction() as transaction:
                ready = await waiting_tenders.load_ready(transaction, SWEEP_PAGE_ROWS)
            tried = len(ready)
            if ready:
                settle = partial(
                    settle_tenders,
                    tenders=ready,
                    pricing=self._programme.pricing,
                    came_back_days=self._programme.came_back_days,
                    owes=self._programme.members_owe,
                )
                report: TenderReport = await self._database.run(settle)
                count_tenders(report)
        await self._sweep_returns()
        async with self._database.transaction() as transaction:
            open_matters = await receipts.count_open_matters(transaction)
            stranded = await waiting_tenders.load_ready(transaction, SWEEP_PAGE_ROWS)
            stranded_returns = await goods_returns.find_due(transaction, SWEEP_PAGE_ROWS)
        metrics.TENDERS_WAITING.set(open_matters.waiting)
        metrics.EXCEPTIONS_OPEN.set(open_matters.exceptions)
        metrics.TENDERS_STRANDED.set(len(stranded))
        metrics.RETURNS_STRANDED.set(len(stranded_returns))

    async def _sweep_returns(self) -> None:
        """Settle what came back of receipts that have taken points, or told what they sold, since."""
        tried = SWEEP_PAGE_ROWS
        while tried == SWEEP_PAGE_ROWS:
            async with self._database.transaction() as transaction:
                due = await goods_returns.find_due(transaction, SWEEP_PAGE_ROWS)
            tried = len(due)
            if due:
                settle = partial(settle_returns, receipt_keys=due, programme=self._programme)
                count_returns(await self._database.run(settle))
        for kind in await self._database.run(partial(tell_unread, rows_max=SWEEP_PAGE_ROWS)):
            metrics.EXCEPTIONS.labels(kind).inc()

    async def _say_posted_to(self, transaction: Transaction) -> None:
        purchases_read_to = await read_to.load(transaction, PURCHASES.topic, self._programme.topic_partitions)
        if purchases_read_to is not None:
            await ledger.save_posted_to(transaction, SERVICE, purchases_read_to)

    async def _expire_page(self, transaction: Transaction) -> int:
        purchases_read_to = await read_to.load(transaction, PURCHASES.topic, self._programme.topic_partitions)
        if purchases_read_to is None:  # somewhere a receipt may lie that nobody has seen
            return 0
        metrics.EXPIRY_LAG_SECONDS.set(max(0.0, (transaction.now - purchases_read_to).total_seconds()))
        return await expire_holds(transaction, purchases_read_to, came_back_days=self._programme.came_back_days)
