"""A worker's passes of release: page after page in the order of days, one worker at a time, with room for others."""

import asyncio
import time
from collections.abc import Callable

from services.accrual import metrics
from services.accrual.programme import KnownTierSchemes
from services.accrual.repository import due_parts
from services.accrual.use_cases.release_points import release_page
from shared.database import Database, Transaction
from shared.kafka.batch_size import BatchSize
from shared.ledger import HeldSince

PAGE_PARTS_MAX = 200
PASS_SECONDS = 20.0  # then another worker may have its turn
REST_SHARE = 0.25  # of the time that a page took, while others have the machine


class ReleasePasses:
    """Releases what is due, the longest due first. What is done shows in the parts, so nothing is lost with a worker.

    Workers take turns: a pass that finds another under way does nothing.
    """

    def __init__(
        self,
        database: Database,
        size: BatchSize,
        tiers: KnownTierSchemes | None = None,
        monotonic_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._tiers = tiers or KnownTierSchemes()
        self._size = size
        self._monotonic_seconds = monotonic_seconds

    async def run(self) -> None:
        """One pass: everything that is due, or as much as there is time for."""
        async with self._database.statements() as connection:
            if not await due_parts.take_turn(connection):
                return
            try:
                await self._pass()
            finally:
                await due_parts.end_turn(connection)

    async def _pass(self) -> None:
        ends_seconds = self._monotonic_seconds() + PASS_SECONDS
        while self._monotonic_seconds() < ends_seconds:
            began_seconds = self._monotonic_seconds()
            if not await self._page():
                return
            await asyncio.sleep((self._monotonic_seconds() - began_seconds) * REST_SHARE)

    async def _page(self) -> bool:
        """Whether there may be more."""
        held_since, schemes = HeldSince(), self._tiers.history

        async def work(transaction: Transaction) -> tuple[int, float]:
            found = await release_page(
                transaction, parts_max=self._size.records, held_since=held_since, schemes=schemes
            )
            return found, held_since.seconds()

        found, before_commit_seconds = await self._database.run(work)
        if held_seconds := held_since.seconds():
            metrics.RELEASE_HELD_SECONDS.observe(held_seconds)
            self._size.observe(before_commit_seconds)
        metrics.PARTS_RELEASED.inc(found)
        return found > 0
