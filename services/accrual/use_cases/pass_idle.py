"""A worker's passes for inactivity: a page after the other, once every day, when the day before is settled."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from services.accrual import metrics
from services.accrual.domain.member_events import begin_of
from services.accrual.programme import Programme, PublishedRules
from services.accrual.use_cases.expire_idle import expire_idle_page, tell_idle_page
from services.accrual.use_cases.pass_expiry import PASS_SECONDS, REST_SHARE, SETTLED_SECONDS
from shared import ledger
from shared.database import Database, Transaction, read_to
from shared.events.catalogue import PURCHASES
from shared.ledger import HeldSince

SPENDING_SERVICE = "redemption"


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
    ) -> None:
        self._database = database
        self._programme = programme
        self._rules = rules
        self._notices = tuple(zip(sorted(days_before), (0, *sorted(days_before)), strict=False))
        self._partitions = partitions

    async def run(self) -> None:
        """One pass: all that is due, or as much as there is time for."""
        if not self._rules.history.names_inactivity or not await self._is_settled():
            return
        ends_seconds = time.monotonic() + PASS_SECONDS
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
        while time.monotonic() < ends_seconds and await self._page():
            pass

    async def _page(self) -> bool:
        began_seconds, held_since = time.monotonic(), HeldSince()
        has_more = await self._database.run(
            partial(expire_idle_page, history=self._rules.history, programme=self._programme, held_since=held_since)
        )
        if held_seconds := held_since.seconds():
            metrics.EXPIRY_HELD_SECONDS.observe(held_seconds)
        await asyncio.sleep((time.monotonic() - began_seconds) * REST_SHARE)
        return has_more

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
