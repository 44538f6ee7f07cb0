"""What is owed for longer than the programme means to wait: for operators."""

from datetime import timedelta
from typing import NamedTuple

from shared.database import Transaction

# By the index of what is owed.
_OLD_DEBTS = """
    select count(distinct account_id)::bigint, coalesce(sum(owed), 0)::bigint
    from ledger_debts where owed > 0 and owed_since < $1
"""


class OldDebts(NamedTuple):
    """How many accounts owe something for too long, and how many points in all."""

    accounts: int
    points: int


async def find(transaction: Transaction, age_max: timedelta) -> OldDebts:
    """What is owed for longer than ``age_max``. Nothing is locked."""
    row = await transaction.raw.fetchrow(_OLD_DEBTS, transaction.now - age_max)
    return OldDebts(0, 0) if row is None else OldDebts(*row)
