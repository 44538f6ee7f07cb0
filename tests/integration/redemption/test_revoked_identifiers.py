"""What a blocked, lost or replaced identifier may still do in redemption: nothing."""

import pytest

from services.redemption.use_cases.hold_points import Declined, Held
from shared.events.members import IdentifierState, MemberEvent
from tests.support.member_events import revoked
from tests.support.receipts import card, member
from tests.support.redemption import Spending, linked

ANNA = member(1)


async def attempt(spending: Spending) -> str:
    outcome = await spending.hold(None, 10, identifier_hash=card(1))
    if isinstance(outcome, Held):
        return "held"
    assert isinstance(outcome, Declined)
    return outcome.decline.reason


@pytest.mark.parametrize("state", ["blocked", "lost", "replaced"])
async def test_what_is_revoked_spends_nothing(spending: Spending, state: IdentifierState) -> None:
    await spending.enrol(ANNA, 100)
    await spending.members(linked(ANNA, card(1)))
    assert await attempt(spending) == "held"
    await spending.members(revoked(ANNA, card(1), state))
    assert await attempt(spending) == "identifier_blocked"
    other = await spending.hold(ANNA, 10)
    assert isinstance(other, Held)  # the member may still spend by other means


async def test_an_old_link_after_a_block_does_not_take_it_back_and_a_newer_one_does(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    events: list[MemberEvent] = [linked(ANNA, card(1)), revoked(ANNA, card(1), "blocked")]
    await spending.members(*events, *events, events[0])
    assert await attempt(spending) == "identifier_blocked"
    await spending.members(linked(ANNA, card(1), version=3))
    await spending.members(*events)
    assert await attempt(spending) == "held"
