"""Receipts that came are ticked off in their shifts."""

from collections.abc import Sequence

from services.coalition.domain.shifts import Arrival, first_of_each_number
from services.coalition.repository import till_shifts
from shared.database import Transaction


async def count_arrivals(transaction: Transaction, arrivals: Sequence[Arrival]) -> None:
    """Tick receipts off, inside the caller's transaction.

    Idempotent, in any order and any batching: a number counts once, as it came first. The number of statements does
    not depend on the number of receipts.
    """
    distinct = first_of_each_number(arrivals)
    if distinct:
        await till_shifts.add_arrivals(transaction, distinct)
