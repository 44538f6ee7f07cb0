"""Receipts that came are ticked off in their shifts, and their sales are added up by category and unknown article."""

from collections.abc import Sequence

from services.coalition.domain.shifts import Arrival, first_of_each_number
from services.coalition.repository import category_sales, till_shifts, unknown_articles
from shared.database import Transaction


async def count_arrivals(transaction: Transaction, arrivals: Sequence[Arrival]) -> None:
    """Tick receipts off and add up what they sold, inside the caller's transaction.

    Idempotent, in any order and any batching: a number counts once, as it came first. The number of statements does
    not depend on the number of receipts.
    """
    distinct = first_of_each_number(arrivals)
    if distinct:
        news = await till_shifts.add_arrivals(transaction, distinct)
        sold = [arrival for arrival in news if not arrival.is_training]
        await category_sales.add_sales(transaction, sold)
        await unknown_articles.add_sales(transaction, sold)
