"""How far accounts have been gone through for inactivity: one row for lapsing (0) and one for each notice, by its days.

A row is locked while a page is gone through, so that workers take turns, and written with what the page did.
"""

from datetime import date
from typing import NamedTuple

from shared.database import Transaction

_LAY = "insert into idle_sweeps (days, day, after_account_id, done_day) values ($1, $2, 0, null) on conflict do nothing"
_LOCK = "select day, after_account_id, done_day from idle_sweeps where days = $1 for no key update"
_SAVE = "update idle_sweeps set day = $2, after_account_id = $3, done_day = $4 where days = $1"


class Sweep(NamedTuple):
    """The day that accounts are gone through for, the last account, and the last day that is done with."""

    day: date
    after_account_id: int
    done_day: date | None


async def lock(transaction: Transaction, days: int, today: date) -> Sweep | None:
    """The sweep that is under way, or the next one; None: today's is done. Locked to the commit."""
    await transaction.raw.execute(_LAY, days, today)
    row = await transaction.raw.fetchrow(_LOCK, days)
    if row is None:
        raise AssertionError("unreachable: the row was laid")
    sweep = Sweep(*row.values())
    if sweep.done_day is None or sweep.day > sweep.done_day:
        return sweep
    return None if sweep.done_day >= today else Sweep(today, 0, sweep.done_day)


async def save(transaction: Transaction, days: int, sweep: Sweep) -> None:
    """Write how far it has come."""
    await transaction.raw.execute(_SAVE, days, *sweep)
