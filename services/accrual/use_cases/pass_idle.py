"""A worker's passes for inactivity: a page after the other, once every day, when the day before is settled."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from services.accrual import metrics
from services.accrual.domain.member_events import begin_of
from services.accrual.programme import Programme, PublishedRules
from services.accrual.use_cases.expire_idle import (
    ACCOUNTS_PER_PAGE_MAX,
    IdlePage,
    expire_idle_page,
    tell_idle_page,
)
from services.accrual.use_cases.pass_expiry import PASS_SECONDS, SETTLED_SECONDS
from shared import ledger
from shared.database import Database, Transaction, read_to
from shared.events.catalogue import PURCHASES
from shared.kafka.batch_size import BatchSize
from shared.ledger import HeldSince

SPENDING_SERVICE = "redemption"
REST_SHARE = 0.1  # of the time that a page took, while others have the machine


class IdlePasses:
    """Tells of inactivity, and lets points lapse for it. Workers take turns by the row that says how far it has come.

    A day begins when what was posted to Kafka on the day before has been read, here and by redemption, which takes
    what receipts were paid with: no lag takes anybody's points. By then every transaction of that day has ended, too.
    """

    def __init__(
        self,
        database: Database,
        programme: Programme,
        rules: PublishedRules,
        days_before: Sequence[int],
        partitions: int,
        size: BatchSize,
    ) -> None:
        self._database = database
        self._programme = programme
        self._rules = rules
        self._notices = tuple(zip(sorted(days_before), (0, *sorted(days_before)), strict=False))
        self._partitions = partitions
        self._size = size
        self._is_dense = False

    async def run(self) -> None:
        """One pass: all that is due, or as much as there is time for. What lapses comes first, so that no notice is in
        its way."""
        if not self._rules.history.names_inactivity or not await self._is_settled():
            return
        ends_seconds = time.monotonic() + PASS_SECONDS
        while time.monotonic() < ends_seconds and await self._page():
            pass
        for days, later_days in self._notices:
            tell = partial(
                tell_idle_page,
                history=self._rules.history,
                programme=self._programme,
                days=days,
                later_days=later_days,
            )
            while time.monotonic() < ends_seconds and await self._database.run(tell):
                pass

    async def _page(self) -> bool:
        """Where most are inactive, accounts are locked as they come; else they are looked at first."""
        began_seconds, held_since, owners_max = time.monotonic(), HeldSince(), self._size.records
        is_dense, accounts_max = self._is_dense, owners_max if self._is_dense else ACCOUNTS_PER_PAGE_MAX

        async def work(transaction: Transaction) -> tuple[IdlePage | None, float]:
            page = await expire_idle_page(
                transaction,
                self._rules.history,
                self._programme,
                held_since,
                accounts_max=accounts_max,
                owners_max=owners_max,
                is_dense=is_dense,
            )
            return page, held_since.seconds()

        page, before_commit_seconds = await self._database.run(work)
        locked, inactive = page or (0, 0)
        if locked:
            self._size.observe(before_commit_seconds)
        metrics.MEMBERS_IDLE.inc(inactive)
        self._is_dense = inactive * 2 >= (locked if is_dense else owners_max) and inactive > 0
        if held_seconds := held_since.seconds():
            metrics.EXPIRY_HELD_SECONDS.observe(held_seconds)
        await asyncio.sleep((time.monotonic() - began_seconds) * REST_SHARE)
        return page is not None

    async def _is_settled(self) -> bool:
        async def work(transaction: Transaction) -> bool:
            read = await read_to.load(transaction, PURCHASES.topic, self._partitions)
            today = transaction.today
            if read is None or today is None:
                return False
            # Redemption takes what receipts were paid with, and reads them at its own pace.
            spent = await ledger.find_posted_to(transaction, SPENDING_SERVICE)
            settled = begin_of(today, self._programme.zone) + timedelta(seconds=SETTLED_SECONDS)
            return read >= settled and (spent is None or spent >= settled)

        return await self._database.run(work)
