"""Who was told that points will lapse, and how far each notice has come."""

from collections.abc import Sequence
from datetime import date

from shared.database import Transaction

_LOAD_THROUGH = "select days, day from expiry_notices_through"
_SAVE_THROUGH = """
    insert into expiry_notices_through (days, day) values ($1, $2)
    on conflict (days) do update set day = excluded.day where expiry_notices_through.day < excluded.day
"""

# Two workers that note the same accounts do so in one order; the second finds that they were told.
_NOTE = """
    insert into expiry_notices (expires_on, days, account_id)
    select $1, $2, account_id from unnest($3::bigint[]) as told (account_id)
    order by account_id
    on conflict do nothing
    returning account_id
"""

_FORGET = """
    delete from expiry_notices where (expires_on, days, account_id) in (
        select expires_on, days, account_id from expiry_notices where expires_on <= $1
        order by expires_on, days, account_id limit $2
    )
"""


async def load_through(transaction: Transaction) -> dict[int, date]:
    """By notice, the last day of expiry of which everybody was told."""
    return {row["days"]: row["day"] for row in await transaction.raw.fetch(_LOAD_THROUGH)}


async def save_through(transaction: Transaction, days: int, day: date) -> None:
    """Say that everybody was told of a day. It never moves back."""
    await transaction.raw.execute(_SAVE_THROUGH, days, day)


async def note(transaction: Transaction, expires_on: date, days: int, account_ids: Sequence[int]) -> set[int]:
    """Note that these are told; those that were not before come back."""
    rows = await transaction.raw.fetch(_NOTE, expires_on, days, account_ids)
    return {row["account_id"] for row in rows}


async def forget(transaction: Transaction, until: date, rows_max: int) -> None:
    """Let notes of days that have come go, ``rows_max`` of them."""
    await transaction.raw.execute(_FORGET, until, rows_max)
