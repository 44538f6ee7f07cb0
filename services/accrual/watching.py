"""What operators see of work that waits for people."""

from services.accrual import metrics
from services.accrual.repository import unlinked_returns
from shared.database import Database, Transaction


async def watch_unlinked_returns(database: Database) -> None:
    """Show how many returns wait for people, and for how long the oldest does. Every worker shows the same."""

    async def work(transaction: Transaction) -> tuple[int, float]:
        waiting, since = await unlinked_returns.count_waiting(transaction)
        return waiting, 0.0 if since is None else (transaction.now - since).total_seconds()

    waiting, oldest_seconds = await database.run(work)
    metrics.UNLINKED_RETURNS_WAITING.set(waiting)
    metrics.UNLINKED_RETURNS_OLDEST_SECONDS.set(oldest_seconds)
