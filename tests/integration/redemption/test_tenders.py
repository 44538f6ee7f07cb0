"""Receipts that were paid with points, in every order with what they pay for."""

from dataclasses import replace

import pytest

from services.redemption.domain.errors import AlreadyCapturedError, ReceiptVoidedError
from services.redemption.domain.holding import Paid
from services.redemption.domain.redemption import State
from services.redemption.domain.tender import Pricing, points_tenders
from services.redemption.repository.waiting_tenders import load_ready
from services.redemption.timers import Timers
from shared.events.purchases import Tender
from shared.events.redemptions import RedemptionCaptured
from shared.ids import new_id
from tests.support.receipts import card, member, purchase
from tests.support.redemption import PROGRAMME, Spending, enrolled, linked, paid_with_points, tender_of, void_of

ANNA, BERT = member(1), member(2)


async def sweep(spending: Spending) -> None:
    await Timers(spending.database, PROGRAMME).sweep()


async def test_a_tender_captures_its_hold(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    await spending.drain()

    report = await spending.settle(tender_of(paid_with_points(1, 300, redemption_id, owner=ANNA)))

    assert report.outcomes == {"captured": 1}
    balance = await spending.balance(ANNA)
    assert (balance.available, balance.held) == (700, 0)
    (event,) = await spending.drain()
    assert isinstance(event, RedemptionCaptured)
    assert (event.data.points, event.data.released_points, event.data.late) == (300, 100, False)
    await spending.check([ANNA], 1000)


async def test_the_hold_says_whose_points_they_are(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.enrol(BERT, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id

    await spending.settle(tender_of(paid_with_points(1, 400, redemption_id, owner=BERT)))
    await spending.settle(tender_of(paid_with_points(2, 100, (await spending.held(ANNA, 100)).redemption_id)))

    assert ((await spending.balance(ANNA)).available, (await spending.balance(BERT)).available) == (500, 1000)


async def test_http_and_receipt_take_once(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    first, second = [(await spending.held(ANNA, 400)).redemption_id for _ in range(2)]

    await spending.capture(first, 1)
    by_event = await spending.settle(tender_of(paid_with_points(1, 400, first, owner=ANNA)))
    await spending.settle(tender_of(paid_with_points(2, 400, second, owner=ANNA)))
    by_http = await spending.capture(second, 2)

    assert by_event.outcomes == {"repeat": 1}
    assert by_http.capture.source == "event"
    assert await spending.exceptions() == []
    assert (await spending.balance(ANNA)).available == 200
    await spending.check([ANNA], 1000)


async def test_amounts_that_differ_are_told_once(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    await spending.capture(redemption_id, 1)
    tender = tender_of(paid_with_points(1, 350, redemption_id, owner=ANNA))

    first, again = await spending.settle(tender), await spending.settle(tender)

    assert (first.exceptions, again.exceptions) == (("amount_mismatch",), ())
    assert await spending.exceptions() == [("amount_mismatch", 350, 400)]
    assert (await spending.balance(ANNA)).available == 600


async def test_reading_receipts_again_changes_nothing(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    tenders = [
        tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA)),
        tender_of(paid_with_points(2, 100, None, owner=ANNA)),
        tender_of(paid_with_points(3, 50, redemption_id, owner=ANNA)),
    ]
    first = await spending.settle(*tenders)
    balance = await spending.balance(ANNA)
    await spending.drain()

    for batch in (tenders, list(reversed(tenders)), [*tenders, *tenders]):
        again = await spending.settle(*batch)
        assert again.outcomes == {"repeat": len(batch)}

    assert first.outcomes == {"captured": 1, "late": 2}
    assert await spending.balance(ANNA) == balance
    assert await spending.drain() == []
    await spending.check([ANNA], 1000)


async def test_a_receipt_before_its_hold_takes_late_and_the_hold_is_refused(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = new_id()

    report = await spending.settle(tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA)))

    assert report.outcomes == {"late": 1}
    with pytest.raises(AlreadyCapturedError):
        await spending.hold(ANNA, 400, redemption_id=redemption_id)
    (event,) = await spending.drain()
    assert isinstance(event, RedemptionCaptured)
    assert (event.data.points, event.data.late, event.data.uncovered_points) == (400, True, 0)
    await spending.check([ANNA], 1000)


async def test_what_the_balance_lacks_is_the_partners_loss(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    await spending.void(redemption_id)
    await spending.held(ANNA, 900)
    await spending.drain()

    report = await spending.settle(
        tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA)),
        tender_of(paid_with_points(2, 70, redemption_id, owner=ANNA)),
    )

    assert report.uncovered_points == 300 + 70
    first, second = await spending.drain()
    assert isinstance(first, RedemptionCaptured)
    assert isinstance(second, RedemptionCaptured)
    assert [(event.data.points, event.data.uncovered_points, event.data.late) for event in (first, second)] == [
        (100, 300, True),
        (0, 70, True),
    ]
    redemption = await spending.redemption(redemption_id)
    assert (redemption.state, redemption.captured_points, redemption.uncovered_points) == (State.CAPTURED, 100, 370)
    await spending.check([ANNA], 1000)


async def test_what_the_hold_does_not_cover_is_taken_late(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id

    await spending.settle(tender_of(paid_with_points(1, 450, redemption_id, owner=ANNA)))

    redemption = await spending.redemption(redemption_id)
    assert (redemption.captured_points, redemption.open_points) == (450, 0)
    assert (await spending.balance(ANNA)).available == 550
    await spending.check([ANNA], 1000)


async def test_a_member_whom_the_registry_has_not_told_of_pays_all_the_same(spending: Spending) -> None:
    report = await spending.settle(tender_of(paid_with_points(1, 400, None, owner=ANNA)))
    await spending.members(enrolled(ANNA))

    assert report.uncovered_points == 400
    assert (await spending.balance(ANNA)).debt == 0


async def test_an_unknown_card_waits_and_pays_when_it_is_registered(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    tender = tender_of(paid_with_points(1, 400, None, identifier_hash=card(1)))

    report = await spending.settle(tender, tender)
    await sweep(spending)

    assert report.outcomes == {"waiting": 2}
    assert await spending.waiting() == 1
    await spending.members(linked(ANNA, card(1)))
    await sweep(spending)
    assert await spending.waiting() == 0
    assert (await spending.balance(ANNA)).available == 600
    assert (await spending.settle(tender)).outcomes == {"repeat": 1}
    await spending.check([ANNA], 1000)


async def test_a_released_receipt_with_its_member_pays_at_once(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    parked = paid_with_points(1, 400, None, identifier_hash=card(1))
    await spending.settle(tender_of(parked))

    released = paid_with_points(1, 400, None, owner=ANNA, identifier_hash=card(1))
    await spending.settle(tender_of(released))

    assert await spending.waiting() == 0
    assert (await spending.balance(ANNA)).available == 600
    await spending.check([ANNA], 1000)


async def test_a_late_hold_says_whose_points_a_waiting_receipt_takes(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = new_id()
    await spending.settle(tender_of(paid_with_points(1, 400, redemption_id, identifier_hash=card(1))))

    outcome = await spending.hold(ANNA, 400, redemption_id=redemption_id)
    await sweep(spending)

    assert isinstance(outcome, Paid)
    assert await spending.waiting() == 0
    assert (await spending.redemption(redemption_id)).state is State.CAPTURED
    assert (await spending.balance(ANNA)).available == 600
    await spending.check([ANNA], 1000)


async def test_nothing_is_stranded_after_a_sweep(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    tenders = [tender_of(paid_with_points(number, 1, None, identifier_hash=card(1))) for number in range(1, 251)]
    await spending.settle(*tenders)
    await spending.members(linked(ANNA, card(1)))

    await sweep(spending)

    assert await spending.do(lambda transaction: load_ready(transaction, 10)) == []
    assert (await spending.balance(ANNA)).available == 750


async def test_another_partners_hold_is_not_taken(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id

    report = await spending.settle(tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA, partner_id="fuel")))

    assert report.exceptions == ("other_partner",)
    assert (await spending.balance(ANNA)).held == 400


async def test_another_currency_is_for_a_person(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    bought = purchase(1, 100, owner=ANNA, tenders=(Tender(kind="points", amount_minor=100),))
    (tender,) = points_tenders(bought, Pricing("EUR", 1))

    report = await spending.settle(tender)

    assert report.exceptions == ("other_currency",)
    assert (await spending.balance(ANNA)).available == 1000


async def test_a_document_refused_before_it_is_read_takes_nothing(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    refused = tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA, contents=1))

    assert await spending.refuse(refused, refused) == []
    report = await spending.settle(refused)

    assert report.outcomes == {"refused": 1}
    assert (await spending.balance(ANNA)).held == 400
    assert (await spending.settle(replace(refused, content_hash="0" * 64))).outcomes == {"captured": 1}
    await spending.check([ANNA], 1000)


async def test_what_a_refused_document_took_is_for_a_person(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    refused = tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA, contents=1))
    await spending.settle(refused)

    first, again = await spending.refuse(refused), await spending.refuse(refused)

    assert (first, again) == (["refused_receipt"], [])
    assert await spending.exceptions() == [("refused_receipt", 400, 400)]
    await spending.check([ANNA], 1000)


async def test_a_refused_document_is_dropped_where_it_only_waited_or_disagreed(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    good = tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA))
    disagreeing = tender_of(paid_with_points(1, 399, redemption_id, owner=ANNA, contents=1))
    waiting = tender_of(paid_with_points(2, 10, None, identifier_hash=card(1)))
    await spending.settle(good, disagreeing, waiting)
    assert len(await spending.exceptions()) == 1

    assert await spending.refuse(disagreeing, waiting) == []

    assert await spending.exceptions() == []
    assert await spending.waiting() == 0
    await spending.check([ANNA], 1000)


async def test_a_capture_over_http_is_not_undone_by_a_refused_document(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    await spending.capture(redemption_id, 1)
    document = tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA))
    await spending.settle(document)

    assert await spending.refuse(document) == []


async def test_a_receipt_that_was_voided_pays_nothing_more(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    paid = tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA))
    waiting = tender_of(paid_with_points(2, 10, None, identifier_hash=card(1)))
    await spending.settle(waiting)

    assert await spending.void_receipts(void_of(paid.receipt_key, 1), void_of(waiting.receipt_key, 2)) == 0

    assert (await spending.settle(paid)).outcomes == {"refused": 1}
    assert ((await spending.balance(ANNA)).held, await spending.waiting()) == (400, 0)
    with pytest.raises(ReceiptVoidedError):
        await spending.capture(redemption_id, 1)
    assert (await spending.settle(paid)).exceptions == ()
    assert (await spending.void(redemption_id)).points == 400
    await spending.check([ANNA], 1000)
