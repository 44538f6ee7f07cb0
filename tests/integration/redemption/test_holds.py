"""Holds, captures and voids on a real database."""

from datetime import date

import pytest

from services.redemption.domain.errors import (
    ExceedsHoldError,
    HoldNotOpenError,
    RedemptionIdTakenError,
    UnknownMemberError,
    UnknownRedemptionError,
)
from services.redemption.domain.redemption import State
from services.redemption.use_cases.hold_points import Declined, Held
from shared import ledger
from shared.events.redemptions import RedemptionCaptured, RedemptionDeclined, RedemptionHeld, RedemptionVoided
from shared.ids import new_id
from tests.support.receipts import card, member
from tests.support.redemption import (
    FUEL,
    PROGRAMME_CLIENT,
    Spending,
    earn,
    enrolled,
    linked,
    paid_with_points,
    partner,
    receipt_key_of,
)

ANNA, BERT = member(1), member(2)


async def test_a_hold_reserves_at_once(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)

    redemption = await spending.held(ANNA, 400)

    balance = await spending.balance(ANNA)
    assert (balance.available, balance.held) == (600, 400)
    (event,) = await spending.drain()
    assert isinstance(event, RedemptionHeld)
    assert (event.data.redemption_id, event.data.points, event.data.balance.available) == (
        redemption.redemption_id,
        400,
        600,
    )
    assert event.data.expires_at == redemption.expires_at
    await spending.check([ANNA], 1000)


async def test_too_few_points_are_declined_and_told(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)

    outcome = await spending.hold(ANNA, 101)

    assert isinstance(outcome, Declined)
    assert (outcome.decline.reason, outcome.available) == ("insufficient_points", 100)
    (event,) = await spending.drain()
    assert isinstance(event, RedemptionDeclined)
    assert (event.data.reason, event.data.points) == ("insufficient_points", 101)
    declined = await spending.redemption(outcome.decline.redemption.redemption_id)
    assert (declined.state, declined.held_points) == (State.DECLINED, 0)
    await spending.check([ANNA], 100)


async def test_a_declined_id_can_be_held_once_there_are_points(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    redemption_id = new_id()
    assert isinstance(await spending.hold(ANNA, 200, redemption_id=redemption_id), Declined)
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 150)]))

    assert isinstance(await spending.hold(ANNA, 200, redemption_id=redemption_id), Held)

    await spending.check([ANNA], 250)


async def test_who_may_not_spend_is_declined_by_name(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.members(linked(ANNA, card(1), is_blocked=True), enrolled(BERT, "suspended"))
    await spending.coalition(partner("fuel", "Fuel", is_suspended=True))

    blocked = await spending.hold(None, 10, identifier_hash=card(1))
    suspended = await spending.hold(BERT, 10)
    elsewhere = await spending.hold(ANNA, 10, partner_id="fuel")

    reasons = [outcome.decline.reason for outcome in (blocked, suspended, elsewhere) if isinstance(outcome, Declined)]
    assert reasons == ["identifier_blocked", "member_suspended", "partner_suspended"]
    assert await spending.kinds() == ["Declined"] * 3


async def test_an_identifier_finds_its_member(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.members(linked(ANNA, card(1)))

    outcome = await spending.hold(None, 10, identifier_hash=card(1))

    assert isinstance(outcome, Held)
    assert outcome.redemption.member_id == ANNA


async def test_a_stranger_cannot_spend(spending: Spending) -> None:
    with pytest.raises(UnknownMemberError):
        await spending.hold(ANNA, 10)
    with pytest.raises(UnknownMemberError):
        await spending.hold(None, 10, identifier_hash=card(9))


async def test_an_older_event_does_not_bring_a_status_back(spending: Spending) -> None:
    await spending.members(enrolled(ANNA, "suspended", version=3))
    await spending.members(enrolled(ANNA, "active", version=2))

    outcome = await spending.hold(ANNA, 10)

    assert isinstance(outcome, Declined)
    assert outcome.decline.reason == "member_suspended"


async def test_the_tills_own_id_is_one_hold(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = new_id()

    first = await spending.hold(ANNA, 400, redemption_id=redemption_id)
    again = await spending.hold(ANNA, 400, redemption_id=redemption_id)

    assert isinstance(first, Held)
    assert isinstance(again, Held)
    assert (again.redemption, again.balance.held) == (first.redemption, 400)
    assert await spending.kinds() == ["Held"]
    with pytest.raises(RedemptionIdTakenError):
        await spending.hold(ANNA, 300, redemption_id=redemption_id)
    with pytest.raises(RedemptionIdTakenError):
        await spending.hold(ANNA, 400, redemption_id=redemption_id, partner_id="fuel")


async def test_a_hold_over_too_many_lots_is_declined(spending: Spending) -> None:
    await spending.enrol(ANNA)
    days = [date(2027, 1, 1).fromordinal(date(2027, 1, 1).toordinal() + day) for day in range(201)]
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 1, day) for day in days]))

    outcome = await spending.hold(ANNA, 201)

    assert isinstance(outcome, Declined)
    assert outcome.decline.reason == "too_many_lots"
    assert isinstance(await spending.hold(ANNA, 200), Held)


async def test_a_capture_takes_and_releases_the_rest(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption = await spending.held(ANNA, 400)
    await spending.drain()

    captured = await spending.capture(redemption.redemption_id, points=300)

    assert (captured.capture.points, captured.capture.released_points) == (300, 100)
    assert captured.redemption.state is State.CAPTURED
    assert (captured.balance.available, captured.balance.held) == (700, 0)
    (event,) = await spending.drain()
    assert isinstance(event, RedemptionCaptured)
    assert (event.data.points, event.data.released_points, event.data.late) == (300, 100, False)
    await spending.check([ANNA], 1000)


async def test_more_captures_may_follow(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id

    first = await spending.capture(redemption_id, 1, 100, more=True)
    second = await spending.capture(redemption_id, 2, 50, more=True)
    last = await spending.capture(redemption_id, 3)

    assert [each.redemption.open_points for each in (first, second, last)] == [300, 250, 0]
    assert (last.capture.points, last.redemption.captured_points) == (250, 400)
    assert last.redemption.state is State.CAPTURED
    await spending.check([ANNA], 1000)


async def test_the_same_receipt_captures_once_and_other_amounts_are_told(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    first = await spending.capture(redemption_id, 1, 300)
    await spending.drain()

    again = await spending.capture(redemption_id, 1, 300)
    other = await spending.capture(redemption_id, 1, 200)
    other_again = await spending.capture(redemption_id, 1, 200)

    assert again.capture == first.capture
    assert (again.exceptions, other.exceptions, other_again.exceptions) == ((), ("amount_mismatch",), ())
    assert await spending.exceptions() == [("amount_mismatch", 200, 300)]
    assert await spending.drain() == []
    await spending.check([ANNA], 1000)


async def test_what_cannot_be_captured_is_refused_by_name(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id

    with pytest.raises(ExceedsHoldError):
        await spending.capture(redemption_id, 1, 401)
    with pytest.raises(UnknownRedemptionError):
        await spending.capture(redemption_id, 1, viewer=FUEL)
    with pytest.raises(UnknownRedemptionError):
        await spending.capture(new_id())
    await spending.capture(redemption_id, 1)
    with pytest.raises(HoldNotOpenError):
        await spending.capture(redemption_id, 2)
    with pytest.raises(HoldNotOpenError):
        await spending.void(redemption_id)
    await spending.check([ANNA], 1000)


async def test_a_void_gives_back(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    await spending.drain()

    with pytest.raises(UnknownRedemptionError):
        await spending.void(redemption_id, viewer=FUEL)
    voided = await spending.void(redemption_id)

    assert voided.points == 400
    assert (await spending.balance(ANNA)).available == 1000
    (event,) = await spending.drain()
    assert isinstance(event, RedemptionVoided)
    with pytest.raises(HoldNotOpenError):
        await spending.void(redemption_id)
    await spending.check([ANNA], 1000)


async def test_a_void_before_its_hold_spends_the_id(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = new_id()

    voided = await spending.void(redemption_id)

    assert (voided.redemption.state, voided.points, voided.balance) == (State.VOIDED, 0, None)
    with pytest.raises(HoldNotOpenError):
        await spending.hold(ANNA, 400, redemption_id=redemption_id)
    with pytest.raises(RedemptionIdTakenError):
        await spending.hold(ANNA, 400, redemption_id=redemption_id, partner_id="fuel")
    assert (await spending.balance(ANNA)).available == 1000
    with pytest.raises(UnknownRedemptionError):  # the programme's client stands for no partner
        await spending.void(new_id(), viewer=PROGRAMME_CLIENT)


async def test_a_document_with_a_known_capture_is_remembered(spending: Spending) -> None:
    """The receipt's key over HTTP and in its event is the same key."""
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id

    captured = await spending.capture(redemption_id, 7)

    assert captured.capture.receipt_key == receipt_key_of(paid_with_points(7, 400, redemption_id))
