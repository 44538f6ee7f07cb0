"""Tells members ahead of time that points will lapse: a page of accounts at a time, each once a day and notice."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from services.accrual.repository import expiry_notices
from services.accrual.use_cases.expiry_messages import expiring_message
from shared import outbox
from shared.database import Transaction
from shared.ledger import due_lots

TOLD_PER_PAGE_MAX = 1_000


class Notice(NamedTuple):
    """That the points of a day will lapse, so many days before it."""

    days: int
    expires_on: date


async def find_notice(transaction: Transaction, days_before: Sequence[int]) -> Notice | None:
    """The first notice that is due and not given yet; None: everybody was told.

    What was missed is made up for, but nobody hears an earlier notice when a later one is due.
    """
    if transaction.today is None:
        return None
    through = await expiry_notices.load_through(transaction)
    later_notice = 0
    for days in sorted(days_before):
        after = max(transaction.today + timedelta(days=later_notice), through.get(days, date.min))
        day = await due_lots.find_day(transaction, after)
        if day is not None and day <= transaction.today + timedelta(days=days):
            return Notice(days, day)
        later_notice = days
    return None


async def tell_page(transaction: Transaction, notice: Notice, after_account_id: int) -> int | None:
    """Tell the next accounts, by id; the last one that was looked at, or None where the notice is given to everybody.

    Locks nobody's account: points are those that were left as last committed. Idempotent: whoever was told is not told
    again, whatever page or worker comes.
    """
    expiring = await due_lots.find_expiring(transaction, notice.expires_on, after_account_id, TOLD_PER_PAGE_MAX)
    if not expiring:
        await expiry_notices.save_through(transaction, notice.days, notice.expires_on)
        return None
    with_points = {one.account_id: one for one in expiring if one.points}
    fresh = await expiry_notices.note(transaction, notice.expires_on, notice.days, list(with_points))
    messages = [
        expiring_message(transaction, with_points[one], notice.expires_on, notice.days) for one in sorted(fresh)
    ]
    await outbox.record(transaction, messages)
    return expiring[-1].account_id
