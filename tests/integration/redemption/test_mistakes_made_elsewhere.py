"""What went wrong in other loyalty systems, each as a test that it does not here (docs/mistakes-made-elsewhere.md)."""

from functools import partial

from services.redemption.domain.tender import points_tenders
from shared import ledger
from shared.events.purchases import ReturnRecorded
from shared.ledger import Balances, Posted, Refund
from tests.support.receipts import member, return_of
from tests.support.redemption import PROGRAMME, Spending, paid_with_points, tender_of

ANNA = member(1)
PARTS = (b"return-1", b"return-2", b"return-3")


async def test_a_refund_does_not_take_the_points_again_that_paid_for_the_goods(spending: Spending) -> None:
    """A return that names the points tender is no second payment. What comes back comes back once, and in parts too."""
    await spending.enrol(ANNA, 500)
    bought = paid_with_points(1, 300, (await spending.held(ANNA, 300)).redemption_id, owner=ANNA)
    await spending.settle(tender_of(bought))
    assert await spending.balance(ANNA) == Balances(available=200)

    returned = return_of(bought, 2, {1: 500}, owner=ANNA).data
    event = ReturnRecorded(
        id=bought.id,
        source="test",
        subject=returned.receipt_id,
        time=bought.time,
        data=returned.model_copy(update={"tenders": bought.data.tenders}),
    )
    assert points_tenders(event, PROGRAMME.pricing) == ()
    await spending.settle(tender_of(bought))  # and the purchase is read again
    assert await spending.balance(ANNA) == Balances(available=200)

    refunds = [Refund(ANNA, "points", reference, 150, tender_of(bought).redemption_id, "grocer") for reference in PARTS]
    outcomes = [await spending.do(partial(ledger.post, commands=[one])) for one in refunds]
    assert [isinstance(outcome, Posted) for [outcome] in outcomes] == [True, True, False]
    assert await spending.balance(ANNA) == Balances(available=500)
