"""What becomes of receipts whose card was blocked, lost or replaced."""

from collections.abc import Callable

import pytest

from shared.database import Database
from shared.events.members import IdentifierState
from tests.support.accrual import Accrual
from tests.support.member_events import revoked
from tests.support.receipts import card, enrolled, linked, member, purchase

ANNA = member(1)


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA), linked(ANNA, card(1)))
    return accrual


async def test_receipts_of_a_blocked_card_wait_until_it_is_unblocked(accrual: Accrual) -> None:
    await accrual.members(revoked(ANNA, card(1), "blocked"))
    report = await accrual.award(purchase(1, 1000, identifier_hash=card(1)))
    assert report.parked == {"unknown_identifier": 1}

    assert await accrual.members(linked(ANNA, card(1))) == 0  # an old version lets nothing go
    assert await accrual.members(linked(ANNA, card(1), version=3)) == 1
    await accrual.award(*await accrual.released())
    assert (await accrual.balance(ANNA)).available == 10


@pytest.mark.parametrize("state", ["lost", "replaced"])
async def test_receipts_of_a_card_that_is_gone_are_still_its_members(accrual: Accrual, state: IdentifierState) -> None:
    await accrual.members(revoked(ANNA, card(1), "blocked"))
    await accrual.award(purchase(1, 1000, identifier_hash=card(1)))
    assert await accrual.members(revoked(ANNA, card(1), state, version=3)) == 1
    await accrual.award(*await accrual.released(), purchase(2, 500, identifier_hash=card(1)))
    assert (await accrual.balance(ANNA)).available == 15
