"""Which parts of awards wait no longer, in the order of their days, and whose turn it is to release them."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, cast
from uuid import UUID

from shared.database import Transaction
from shared.database.engine import RawConnection

# By the index of what waits: what is settled is not there any more, so that a page costs the same at any time.
_FIND_DUE = """
    select due.natural_key, due.number, awards.owner_id
    from (
            select natural_key, number, waits_until from award_parts
            where state = 'pending' and waits_until <= $1
            order by waits_until, natural_key, number
            limit $2
        ) as due
        join awards using (natural_key)
    order by due.waits_until, due.natural_key, due.number
"""

# Of the connection, not of a transaction: it is let go with the connection, whatever becomes of the worker.
_TAKE_TURN = "select pg_try_advisory_lock(hashtextextended('accrual release', 0))"
_END_TURN = "select pg_advisory_unlock(hashtextextended('accrual release', 0))"


class DuePart(NamedTuple):
    """A part whose day has come, and whose award it is of."""

    natural_key: bytes
    number: int
    owner_id: UUID


async def find_due(transaction: Transaction, today: date, parts_max: int) -> Sequence[DuePart]:
    """The next parts that wait no longer today, the longest due first. Nothing is locked."""
    return [DuePart(*row) for row in await transaction.raw.fetch(_FIND_DUE, today, parts_max)]


async def take_turn(connection: RawConnection) -> bool:
    """Whether it is our turn now, until ``end_turn`` on the same connection, or its end."""
    return cast("bool", await connection.fetchval(_TAKE_TURN))


async def end_turn(connection: RawConnection) -> None:
    """Let others have their turn."""
    await connection.execute(_END_TURN)
