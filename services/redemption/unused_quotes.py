"""Quotes that no hold has named: every checkout makes one, and most baskets are paid with money."""

from datetime import timedelta
from functools import partial

from services.redemption import metrics
from services.redemption.repository import quotes
from services.redemption.repository.quotes import Passed
from shared.database import Database, Transaction

FORGET_SECONDS = 10.0
PAGE_ROWS = 1_000


class UnusedQuotes:
    """Goes through quotes in the order in which they were given, each once a process: those that were named stay (class
    ``quotes``), so that whoever began again from the first would walk past more and more of them.

    ``kept_for`` is how long after it was given a quote may still be of use. Several processes may do it at once; cut
    off anywhere, it goes on the next time.
    """

    def __init__(self, database: Database, kept_for: timedelta) -> None:
        self._database = database
        self._kept_for = kept_for
        self._passed: Passed | None = None

    async def forget(self) -> None:
        """Forget what was given so long ago and never named, each page in its own transaction."""
        seen = PAGE_ROWS
        while seen == PAGE_ROWS:
            page = await self._database.run(partial(self._forget_page, after=self._passed))
            metrics.QUOTES_FORGOTTEN.inc(page.forgotten)
            self._passed = page.passed or self._passed
            seen = page.seen

    async def _forget_page(self, transaction: Transaction, after: Passed | None) -> quotes.ForgottenPage:
        return await quotes.forget_unused(transaction, after, transaction.now - self._kept_for, PAGE_ROWS)
