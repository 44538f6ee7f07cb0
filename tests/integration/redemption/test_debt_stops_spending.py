"""Whoever owes points has none; where the programme says so, nobody else's are spent either until that is cleared."""

from dataclasses import replace
from datetime import timedelta

from services.redemption.domain.holding import HoldRequest
from services.redemption.use_cases.hold_points import Declined, Held, Spender, hold_points
from services.redemption.use_cases.read_member import read_balances, read_spendable
from shared import ledger
from shared.database import Transaction
from shared.events.redemptions import RedemptionDeclined
from shared.ledger import ClawBack
from tests.support.pooling import Place, move_in
from tests.support.receipts import member
from tests.support.redemption import PROGRAMME, Spending, earn

ANNA, BERT = member(1), member(2)


async def hold(spending: Spending, points: int, *, stops: bool) -> Held | Declined:
    programme = replace(PROGRAMME, debt_stops_spending=stops)
    outcome = await spending.do(
        lambda transaction: hold_points(
            transaction,
            Spender(ANNA),
            HoldRequest("grocer", points, transaction.now + timedelta(minutes=15)),
            programme,
        )
    )
    assert isinstance(outcome, Held | Declined)
    return outcome


async def owe(spending: Spending, points: int) -> None:
    terms = earn(ANNA, 1).terms
    owed = ClawBack(ANNA, "points", b"owed", points, terms, b"award")
    await spending.do(lambda transaction: ledger.post(transaction, [owed]))


async def test_a_member_who_owes_spends_what_others_lend_unless_the_programme_stops_it(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT, 100)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    await owe(spending, 30)

    assert isinstance(await hold(spending, 10, stops=False), Held)
    stopped = await hold(spending, 10, stops=True)

    assert isinstance(stopped, Declined)
    assert (stopped.decline.reason, stopped.available) == ("debt_outstanding", 90)
    declined = [event for event in await spending.drain() if isinstance(event, RedemptionDeclined)]
    assert [event.data.reason for event in declined] == ["debt_outstanding"]
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 30)]))  # clears it
    assert isinstance(await hold(spending, 10, stops=True), Held)


async def test_alone_the_reason_is_the_debt_and_not_that_there_is_too_little(spending: Spending) -> None:
    await spending.enrol(ANNA)
    poor = await hold(spending, 10, stops=True)
    await owe(spending, 30)
    indebted = await hold(spending, 10, stops=True)
    by_default = await hold(spending, 10, stops=False)

    reasons = [each.decline.reason for each in (poor, indebted, by_default) if isinstance(each, Declined)]
    assert reasons == ["insufficient_points", "debt_outstanding", "insufficient_points"]


async def test_who_owes_is_told_to_spend_no_more_than_a_hold_would_give(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT, 100)
    await move_in(spending, 1, Place(ANNA), Place(BERT))

    assert await told(spending, stops=True) == (100, 100)
    await owe(spending, 30)

    assert await told(spending, stops=True) == (0, 0)
    assert isinstance(await hold(spending, 10, stops=True), Declined)
    assert await told(spending, stops=False) == (100, 100)
    assert isinstance(await hold(spending, 10, stops=False), Held)


async def told(spending: Spending, *, stops: bool) -> tuple[int, int]:
    """What Anna is told that others lend her, and what she is told that she may spend on anything."""

    async def ask(transaction: Transaction) -> tuple[int, int]:
        owner_id, balances = await read_balances(transaction, ANNA, ["points"])
        found = await read_spendable(transaction, owner_id, balances, ["points"], debt_stops_spending=stops)
        return found["points"].pooled, sum(one.available for one in found["points"].usable)

    return await spending.do(ask)
