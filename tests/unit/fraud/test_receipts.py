"""How a purchase becomes a receipt in a window."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.fraud.domain.receipts import ImplausibleReceiptError, receipt_of
from tests.support.fraud import MORNING, changed, purchase, receipt_id, receipt_key
from tests.support.receipts import card

NEW_YORK = ZoneInfo("America/New_York")


def test_the_day_is_the_programmes() -> None:
    late_evening = datetime(2026, 10, 6, 2, 30, tzinfo=UTC)
    found = receipt_of(purchase(1, at=late_evening).data, NEW_YORK, 2)
    assert (found.occurred_at, found.day) == (late_evening, date(2026, 10, 5))
    assert found.receipt_key == receipt_key(1)


@pytest.mark.parametrize(("tills", "had_choice"), [(None, None), (0, False), (1, False), (2, True)])
def test_a_choice_needs_two_tills(tills: int | None, had_choice: bool | None) -> None:
    assert receipt_of(purchase(1).data, NEW_YORK, tills).had_choice is had_choice


@pytest.mark.parametrize(
    ("shown", "own_cards", "is_own_card"),
    [(card(1), {card(1), card(2)}, True), (card(3), {card(1)}, False), (card(1), (), False), (None, {card(1)}, False)],
)
def test_an_own_card_is_one_that_the_register_says_is_the_operators(
    shown: str | None, own_cards: set[str], is_own_card: bool
) -> None:
    assert receipt_of(purchase(1, card=shown).data, NEW_YORK, 2, own_cards).is_own_card is is_own_card


def test_a_till_whose_clock_runs_ahead_counts_as_of_reception() -> None:
    ahead = changed(purchase(1), occurred_at=MORNING + timedelta(days=900), received_at=MORNING)
    assert receipt_of(ahead.data, NEW_YORK, 2).occurred_at == MORNING


@pytest.mark.parametrize(
    "changes",
    [
        {"receipt_id": "no base64url!"},
        {"receipt_id": "AAAA"},
        {"partner_id": "fuel"},
        {"occurred_at": datetime(1, 1, 1, tzinfo=UTC)},
    ],
    ids=["not a key", "a key of nobody", "another partner's key", "the year 1"],
)
def test_what_can_never_be_placed_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ImplausibleReceiptError):
        receipt_of(changed(purchase(1), **changes).data, NEW_YORK, 2)


def test_a_receipt_id_is_its_natural_key() -> None:
    assert receipt_of(purchase(7).data, NEW_YORK, 2).receipt_key == receipt_key(7)
    assert purchase(7).data.receipt_id == receipt_id(7)
