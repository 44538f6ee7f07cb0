"""What a receipt says was paid with points."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.redemption.domain.redemption import Redemption
from services.redemption.domain.tender import (
    TENDER_POINTS_MAX,
    PaidPart,
    Pricing,
    UnusableReceiptError,
    points_tenders,
)
from shared.events.purchases import Tender
from shared.receipt_key import MalformedReceiptIdError
from tests.support.receipts import correction_of, exchange_of, member, purchase, return_of

USD = Pricing("USD", 1)
FIRST, SECOND = UUID(int=1), UUID(int=2)


def paid(amount_minor: int, redemption_id: UUID | None = FIRST) -> Tender:
    return Tender(kind="points", amount_minor=amount_minor, redemption_id=redemption_id)


def test_amounts_of_one_redemption_are_one_tender() -> None:
    tenders = (paid(300), Tender(kind="card", amount_minor=100), paid(200, SECOND), paid(150))

    found = points_tenders(purchase(1, 750, owner=member(1), tenders=tenders), USD)

    assert [(tender.redemption_id, tender.points) for tender in found] == [(FIRST, 450), (SECOND, 200)]
    assert {tender.member_id for tender in found} == {member(1)}


def test_of_an_exchange_they_are_those_of_what_was_paid_on_top() -> None:
    sale = purchase(1, 1000, owner=member(1))
    dearer = exchange_of(sale, 2, {1: 1000}, 1500, owner=member(1), tenders=(paid(300), paid(200, SECOND)))
    cheaper = exchange_of(sale, 3, {1: 1000}, 500, tenders=(paid(500),))

    found = points_tenders(dearer, USD)

    assert [(tender.redemption_id, tender.points) for tender in found] == [(FIRST, 300), (SECOND, 200)]
    assert found[0].goods is not None
    assert found[0].goods.categories == {"GROCERY"}
    assert points_tenders(cheaper, USD) == ()


@pytest.mark.parametrize(("amount_minor", "minor_per_point", "points"), [(100, 1, 100), (100, 10, 10), (101, 10, 11)])
def test_a_part_of_a_point_is_a_whole_one(amount_minor: int, minor_per_point: int, points: int) -> None:
    (tender,) = points_tenders(
        purchase(1, amount_minor, tenders=(paid(amount_minor),)), Pricing("USD", minor_per_point)
    )

    assert tender.points == points


def test_a_tender_without_a_redemption_has_one_of_its_own() -> None:
    first = points_tenders(purchase(1, 100, tenders=(paid(100, None),)), USD)
    again = points_tenders(purchase(1, 100, owner=member(1), tenders=(paid(100, None),), contents=7), USD)
    other = points_tenders(purchase(2, 100, tenders=(paid(100, None),)), USD)

    assert first[0].redemption_id == again[0].redemption_id != other[0].redemption_id


def test_what_pays_nothing_is_no_tender() -> None:
    bought = purchase(1, 100, tenders=(paid(100), paid(-100)))

    assert points_tenders(bought, USD) == ()
    assert points_tenders(purchase(1, 100, tenders=(paid(100),), is_training=True), USD) == ()
    assert points_tenders(return_of(bought, 2, {1: 1000}), USD) == ()
    assert points_tenders(correction_of(bought, 2, 50, tenders=(paid(100),)), USD) == ()  # it repeats what was taken


def test_another_currency_has_no_price() -> None:
    (tender,) = points_tenders(purchase(1, 100, tenders=(paid(100),)), replace(USD, currency="EUR"))

    assert not tender.is_priced


def test_absurd_malformed_and_foreign_documents_are_refused() -> None:
    with pytest.raises(UnusableReceiptError):
        points_tenders(purchase(1, 100, tenders=(paid(TENDER_POINTS_MAX + 1),)), USD)
    good = purchase(1, 100, tenders=(paid(100),))
    broken = good.model_copy(update={"data": good.data.model_copy(update={"receipt_id": "?!"})})
    with pytest.raises(MalformedReceiptIdError):
        points_tenders(broken, USD)
    with pytest.raises(UnusableReceiptError, match="points at most"):  # a hold of the cheaper points may have paid
        points_tenders(
            purchase(1, 100, tenders=(paid(TENDER_POINTS_MAX * 2),)),
            replace(USD, minor_per_point=10, others={"miles": 1}),
        )
    with pytest.raises(UnusableReceiptError, match="points at most"):  # a cent may take more points than one
        points_tenders(purchase(1, 100, tenders=(paid(TENDER_POINTS_MAX // 2),)), replace(USD, own_points=3))
    foreign = good.model_copy(update={"data": good.data.model_copy(update={"partner_id": "fuel"})})
    with pytest.raises(UnusableReceiptError):
        points_tenders(foreign, USD)


@pytest.mark.parametrize(("held_points", "value_minor"), [(100, 33), (33, 100), (7, 20), (250, 100)])
@pytest.mark.parametrize("share_minor", [1, 3, 7, 11])
def test_parts_of_a_quoted_hold_take_together_what_one_receipt_would(
    held_points: int, value_minor: int, share_minor: int
) -> None:
    """Whatever is paid so far takes what it would have taken at once, but that no part is paid with nothing."""
    order = Redemption(FIRST, "points", held_points=held_points, value_minor=value_minor, is_taken_in_parts=True)
    before: list[PaidPart] = []
    for number in range(1, value_minor // share_minor + 1):
        [tender] = points_tenders(purchase(number, share_minor, tenders=[paid(share_minor)]), USD)
        points = tender.priced_after(order, USD, before).points
        before.append(PaidPart(points, share_minor))
        at_once = -(-number * share_minor * held_points // value_minor)
        assert sum(part.points for part in before) == max(at_once, number)
        assert tender.priced_as(order, USD).points - 1 <= points <= tender.priced_as(order, USD).points


@pytest.mark.parametrize("taken", [29, 1])
def test_what_http_took_of_an_order_without_asking_its_receipt_makes_no_other_part_cheaper(taken: int) -> None:
    """A till has captured another amount than its receipt says, as a person is told: nothing was rounded."""
    order = Redemption(FIRST, "points", held_points=60, is_taken_in_parts=True)
    [tender] = points_tenders(purchase(2, 29, tenders=[paid(29)]), USD)

    assert tender.priced_after(order, USD, [PaidPart(taken, 5)]).points == 29
