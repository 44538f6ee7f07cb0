"""Members that accrual's tests make, each of its own."""

from datetime import datetime
from itertools import count
from uuid import UUID

from tests.support.accrual import Accrual
from tests.support.receipts import NOON, enrolled, member

_numbers = count(1_000)


def new_member() -> UUID:
    """A member that no other test of this process has."""
    return member(next(_numbers))


async def joined(accrual: Accrual, at: datetime = NOON) -> UUID:
    """A new member, without a card, who joined then. What accrual had to tell so far is told."""
    member_id = new_member()
    await accrual.members(enrolled(member_id).model_copy(update={"time": at}))
    await accrual.drain()
    return member_id
