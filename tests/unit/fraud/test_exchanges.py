"""An exchange is a purchase more where the member paid on top, and nothing otherwise."""

import pytest

from services.fraud.consumer import is_scored, wants_purchase
from tests.support.receipts import exchange_of, member, purchase, return_of


@pytest.mark.parametrize(("amount_minor", "is_more"), [(1_001, True), (1_000, False), (200, False)])
def test_only_what_was_paid_on_top_counts(amount_minor: int, is_more: bool) -> None:
    sale = purchase(1, 1_000, owner=member(1))
    exchange = exchange_of(sale, 2, {1: 1_000}, amount_minor, owner=member(1))

    assert wants_purchase({"type": exchange.type.encode()})
    assert is_scored(exchange) is is_more
    assert (is_scored(sale), is_scored(return_of(sale, 3, {1: 1}))) == (True, False)
