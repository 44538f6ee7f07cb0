"""A worker's passes of notices: what is due, page after page, and notes that nobody needs any more let go."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from services.accrual.repository import expiry_notices
from services.accrual.use_cases.tell_expiring import Notice, find_notice, tell_page
from shared.database import Database, Transaction

FORGOTTEN_PER_PASS_MAX = 5_000  # a pass comes every few seconds
PASS_SECONDS = 20.0
REST_SECONDS = 0.01  # between pages, while others have the machine


class NoticePasses:
    """Tells of what will lapse. Several workers may do so at once: each page finds who was not told yet."""

    def __init__(self, database: Database, days_before: Sequence[int]) -> None:
        self._database = database
        self._days_before = tuple(days_before)
        self._notice: Notice | None = None
        self._last_account_id = 0  # where this worker goes on; the notes say who was told

    async def run(self) -> None:
        """One pass: every notice that is due, or as much as there is time for."""
        ends_seconds = time.monotonic() + PASS_SECONDS
        has_more = True
        while has_more and time.monotonic() < ends_seconds:
            has_more = await self._page()
            await asyncio.sleep(REST_SECONDS)
        await self._database.run(_forget)

    async def _page(self) -> bool:
        if self._notice is None:
            self._notice = await self._database.run(partial(find_notice, days_before=self._days_before))
            self._last_account_id = 0
        if self._notice is None:
            return False
        last = await self._database.run(partial(tell_page, notice=self._notice, after_account_id=self._last_account_id))
        if last is None:
            self._notice = None
        else:
            self._last_account_id = last
        return True


async def _forget(transaction: Transaction) -> None:
    if transaction.today is not None:
        await expiry_notices.forget(transaction, transaction.today, FORGOTTEN_PER_PASS_MAX)
