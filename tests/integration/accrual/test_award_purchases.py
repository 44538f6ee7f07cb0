"""Awarding on a real database: claims, duplicates, conflicts, returns, and the points that follow."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from services.accrual.repository import claims
from services.accrual.repository.retention import DOCUMENTS
from services.accrual.use_cases.show_receipt import show_receipt
from shared.database import Database
from shared.events.points import PointsClawedBack, PointsEarned, ReceiptRefused
from shared.events.purchases import PurchaseRecorded, Tender
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.receipts import card, document, enrolled, line, linked, member, purchase, return_of

ANNA, BERT = member(1), member(2)


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA), linked(ANNA, card(1)), enrolled(BERT), linked(BERT, card(2)))
    return accrual


async def test_a_purchase_earns_by_partner_and_category(accrual: Accrual) -> None:
    report = await accrual.award(purchase(1, [line(1, 1000), line(2, 550, "PRODUCE")], owner=ANNA))

    assert (report.awarded, report.points) == (1, 15 + 5)
    assert (await accrual.balance(ANNA)).available == 20
    (event,) = await accrual.drain()
    assert isinstance(event, PointsEarned)
    assert event.data.points == 20
    assert [(rule.rule_id, rule.points) for rule in event.data.by_rule] == [("base", 15), ("produce", 5)]
    assert event.data.balance.available == 20


async def test_a_part_paid_with_points_earns_nothing(accrual: Accrual) -> None:
    tenders = (Tender(kind="points", amount_minor=400), Tender(kind="card", amount_minor=600))

    await accrual.award(purchase(1, 1000, owner=ANNA, tenders=tenders))

    assert (await accrual.balance(ANNA)).available == 6


async def test_a_document_that_comes_again_changes_nothing(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)

    first = await accrual.award(bought, bought)
    again = await accrual.award(bought)

    assert (first.awarded, first.duplicates) == (1, 1)
    assert (again.awarded, again.duplicates) == (0, 1)
    assert (await accrual.balance(ANNA)).available == 10


async def test_other_contents_under_a_known_key_are_refused_once_and_kept(accrual: Accrual) -> None:
    await accrual.award(purchase(1, 1000, owner=ANNA))
    await accrual.drain()
    other = purchase(1, 900_000, owner=ANNA, contents=1)

    report = await accrual.award(other)
    await accrual.award(other)

    assert report.conflicts == 1
    assert (await accrual.balance(ANNA)).available == 10
    (event,) = await accrual.drain()
    assert isinstance(event, ReceiptRefused)
    assert (event.data.reason, event.data.content_hash) == ("content_conflict", other.data.content_hash)


@pytest.mark.parametrize("is_stored_unkeyed", [True, False])
async def test_a_document_that_comes_again_after_hashes_were_keyed_is_the_same_document(
    accrual: Accrual, is_stored_unkeyed: bool
) -> None:
    before, since = purchase(1, 1000, owner=ANNA), keyed(purchase(1, 1000, owner=ANNA))
    await accrual.award(before if is_stored_unkeyed else since)
    await accrual.drain()

    report = await accrual.award(since if is_stored_unkeyed else before)  # a replay of the topic brings the old one
    other = await accrual.award(keyed(purchase(1, 900_000, owner=ANNA, contents=1)))

    assert (report.duplicates, report.conflicts) == (1, 0)
    assert other.conflicts == 1
    assert (await accrual.balance(ANNA)).available == 10


async def test_a_refused_document_is_told_of_under_each_hash_that_it_comes_with(accrual: Accrual) -> None:
    before = purchase(1, 1000, owner=ANNA, is_training=True)
    await accrual.award(before)
    await accrual.drain()

    assert (await accrual.award(before)).duplicates == 1
    assert await accrual.drain() == []
    again = keyed(before)
    assert (await accrual.award(again)).duplicates == 1

    (event,) = await accrual.drain()
    assert isinstance(event, ReceiptRefused)
    assert (event.data.content_hash, event.data.reason) == (again.data.content_hash, "refused_before")


async def test_a_training_receipt_is_refused(accrual: Accrual) -> None:
    report = await accrual.award(purchase(1, 1000, owner=ANNA, is_training=True))

    assert report.refused == {"training": 1}
    assert (await accrual.balance(ANNA)).available == 0


async def test_a_receipt_without_an_identifier_earns_nobody_anything(accrual: Accrual) -> None:
    report = await accrual.award(purchase(1, 1000))

    assert report.parked == {"no_identifier": 1}
    assert await accrual.drain() == []


async def test_a_return_takes_back_what_its_goods_earned(accrual: Accrual) -> None:
    bought = purchase(1, [line(1, 1000), line(2, 550, "PRODUCE")], owner=ANNA)
    await accrual.award(bought)
    await accrual.drain()

    report = await accrual.award(return_of(bought, 2, {2: 1000}))

    assert report.clawed_back == 1
    assert (await accrual.balance(ANNA)).available == 10
    (event,) = await accrual.drain()
    assert isinstance(event, PointsClawedBack)
    assert (event.data.points, event.data.became_debt) == (10, 0)


async def test_partial_returns_add_up_to_the_whole_award(accrual: Accrual) -> None:
    bought = purchase(1, [line(1, 1099, quantity_thousandths=3000)], owner=ANNA)
    await accrual.award(bought)

    for number in range(3):
        await accrual.award(return_of(bought, 2 + number, {1: 1000}))

    balance = await accrual.balance(ANNA)
    assert (balance.available, balance.debt) == (0, 0)


async def test_more_than_was_bought_cannot_come_back(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)
    await accrual.award(bought, return_of(bought, 2, {1: 600}))

    report = await accrual.award(return_of(bought, 3, {1: 600}))

    assert report.refused == {"returned_more_than_bought": 1}
    assert (await accrual.balance(ANNA)).available == 4


async def test_a_return_before_its_purchase_waits_for_it(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)
    back = return_of(bought, 2, {1: 1000})

    waiting = await accrual.award(back)
    awarded = await accrual.award(bought)
    (released,) = await accrual.released()
    taken_back = await accrual.award(released)

    assert waiting.parked == {"purchase_not_decided_yet": 1}
    assert (awarded.awarded, awarded.released) == (1, 1)
    assert taken_back.clawed_back == 1
    assert (await accrual.balance(ANNA)).available == 0


async def test_a_purchase_and_its_return_in_one_batch_are_decided_in_their_order(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)

    report = await accrual.award(bought, return_of(bought, 2, {1: 1000}))

    assert (report.awarded, report.clawed_back) == (1, 1)
    assert (await accrual.balance(ANNA)).available == 0


async def test_an_unknown_card_is_parked_and_credited_once_it_is_registered(accrual: Accrual) -> None:
    carla = member(3)
    bought = purchase(1, 1000, identifier_hash=card(3))

    parked = await accrual.award(bought)
    released_count = await accrual.members(enrolled(carla), linked(carla, card(3)))
    (released,) = await accrual.released()
    awarded = await accrual.award(released)
    replayed = await accrual.award(bought, released)

    assert parked.parked == {"unknown_identifier": 1}
    assert released_count == 1
    assert released.data.member_id == carla
    assert released.id != bought.id
    assert awarded.awarded == 1
    assert replayed.duplicates == 2
    assert (await accrual.balance(carla)).available == 10


async def test_a_receipt_whose_card_is_registered_after_the_window_earns_nothing(accrual: Accrual) -> None:
    carla = member(3)
    now = datetime.now(UTC)
    await accrual.members(enrolled(carla))
    days_ago = [(29, purchase(1, 1000, owner=carla)), (31, purchase(2, 1000, owner=carla))]

    reports = []
    for days, bought in days_ago:
        waited = bought.data.model_copy(update={"received_at": now - timedelta(days=days)})
        reports.append(await accrual.award(bought.model_copy(update={"data": waited})))

    assert (reports[0].awarded, reports[1].refused) == (1, {"registered_too_late": 1})
    assert (await accrual.balance(carla)).available == 10


async def test_a_failed_receipt_that_is_replayed_and_still_lacks_its_card_is_parked(accrual: Accrual) -> None:
    failed = document(purchase(1, 1000, identifier_hash=card(3)))
    key = failed.natural_key
    async with accrual.database.transaction() as transaction:
        await claims.fail(transaction, key, failed.content_hash, None)

    report = await accrual.award(failed.event)

    assert report.parked == {"unknown_identifier": 1}
    async with accrual.database.transaction() as transaction:
        assert (await claims.read(transaction, [key]))[key].state == "parked"


async def test_an_unknown_till_parks_and_never_refuses(accrual: Accrual) -> None:
    report = await accrual.award(purchase(1, 1000, owner=ANNA, till_id="99"))

    assert report.parked == {"unknown_till": 1}
    assert (await accrual.balance(ANNA)).available == 0


async def test_what_was_bought_too_long_ago_is_explained_no_more_and_cannot_come_back(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)
    await accrual.award(bought)
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute(DOCUMENTS.statement, transaction.now + timedelta(seconds=1), 10)

    report = await accrual.award(return_of(bought, 2, {1: 1000}))
    async with accrual.database.transaction() as transaction:
        story = await show_receipt(transaction, document(bought).natural_key, accrual.rules)

    assert report.refused == {"original_forgotten": 1}
    assert (await accrual.balance(ANNA)).available == 10
    assert story.award is not None
    assert (story.status, story.award.points, story.evaluation) == ("awarded", 10, None)


def keyed(bought: PurchaseRecorded) -> PurchaseRecorded:
    """The same document as the door hashes it since it has a key."""
    sealed = PROGRAMME.content_keys.seal(bought.data.content_hash)
    return bought.model_copy(update={"data": bought.data.model_copy(update={"content_hash": sealed})})
