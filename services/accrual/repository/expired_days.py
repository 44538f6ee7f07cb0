"""How far expiry has come, and whose turn it is. What is done shows in the lots; days done with are skipped."""

from datetime import date
from typing import cast

from shared.database import Transaction
from shared.database.engine import RawConnection

_LOAD = "select coalesce(max(day), '0001-01-01') from expired_days"
_SAVE = "insert into expired_days (day, finished_at) values ($1, $2) on conflict (day) do nothing"

# Of the connection, not of a transaction: it is let go with the connection, whatever becomes of the worker.
_TAKE_TURN = "select pg_try_advisory_lock(hashtextextended('accrual expiry', 0))"
_END_TURN = "select pg_advisory_unlock(hashtextextended('accrual expiry', 0))"


async def load_finished(transaction: Transaction) -> date:
    """The last day that is done with, and with it all before; the first of all days where none is."""
    return cast("date", await transaction.raw.fetchval(_LOAD))


async def finish(transaction: Transaction, day: date) -> None:
    """Say that a day is done with. Idempotent."""
    await transaction.raw.execute(_SAVE, day, transaction.now)


async def take_turn(connection: RawConnection) -> bool:
    """Whether it is our turn now, until ``end_turn`` on the same connection, or its end."""
    return cast("bool", await connection.fetchval(_TAKE_TURN))


async def end_turn(connection: RawConnection) -> None:
    """Let others have their turn."""
    await connection.execute(_END_TURN)
