"""What a document says of its till's shift."""

from services.coalition.domain.shifts import arrival_of
from tests.support.receipts import exchange_of, line, purchase, void_of


def test_an_exchange_counts_as_one_document_with_its_net_payment_and_both_its_sides() -> None:
    sale = purchase(1, [line(1, 2_000, quantity_thousandths=2_000)])
    exchange = exchange_of(sale, 2, {1: 1_000}, [line(1, 700, "PRODUCE")])

    arrival = arrival_of(exchange.data)
    undone = arrival_of(void_of(exchange, 3).data)

    assert arrival is not None
    assert undone is not None
    assert (arrival.number, arrival.total_minor, undone.total_minor) == (2, -300, 300)
    assert [(one.partner_category, one.amount_minor) for one in arrival.sales] == [("PRODUCE", 700), (None, -1_000)]
