"""Points as discounts of lines, or as a tender: one event, so that nobody who reads it can tell them apart."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.schemas.documents import ReceiptBody
from services.accrual.use_cases.document_event import to_event
from services.accrual.use_cases.document_kinds import faults_of_kind
from services.accrual.use_cases.points_discounts import faults_of_points_discounts
from services.accrual.use_cases.read_document import Submission
from shared.events.purchases import PurchaseEvent
from shared.ids import IdentifierKey
from shared.receipt_key import encode_receipt_key

KEY = {"scheme": "document", "source": "shop", "number": "2"}
BOUGHT = {"scheme": "document", "source": "shop", "number": "1"}
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
REDEMPTIONS = [str(UUID(int=number)) for number in (1, 2)]

# Of each line its price, what else was taken off it, and what points of either redemption took off.
LINES = st.lists(
    st.tuples(st.integers(100, 5_000), st.integers(0, 50), st.integers(0, 20), st.integers(0, 20)),
    min_size=1,
    max_size=5,
).filter(lambda lines: any(first or second for _, _, first, second in lines))
KINDS = st.sampled_from(["purchase", "return", "correction"])


def event_of(said: dict[str, Any]) -> PurchaseEvent:
    """The event of a document that is in order."""
    asked = {"key": KEY, "occurred_at": AT.isoformat(), "currency": "USD"} | said
    body = ReceiptBody.model_validate(asked)
    assert [*faults_of_kind(body), *faults_of_points_discounts(body)] == []
    key = encode_receipt_key("grocer", body.key)
    submission = Submission(body, "grocer", "s1", "1", key, "0" * 64, None)
    return to_event(submission, None, AT, IdentifierKey(1, b"k" * 32))


def posted_both_ways(kind: str, lines: list[tuple[int, int, int, int]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same document, with discounts of its lines and with tenders."""
    paid = sum(price - other - first - second for price, other, first, second in lines)
    by_points = [sum(line[2] for line in lines), sum(line[3] for line in lines)]
    kind_of = {"type": kind, **_named(kind)}
    discounted, tendered = [], []
    for number, (price, other, *by_redemption) in enumerate(lines, start=1):
        line = {"line_id": number, "sku": str(number), "quantity": "1", "unit_price_minor": str(price)}
        line |= {"original_line_id": number} if kind == "return" else {}
        off = [
            {"redemption_id": redemption_id, "amount_minor": minor}
            for redemption_id, minor in zip(REDEMPTIONS, by_redemption, strict=True)
            if minor
        ]
        tendered.append(line | {"discount_minor": other, "amount_minor": price - other})
        line |= {"points_discounts": off} if off else {}
        everything = other + sum(by_redemption)
        discounted.append(line | {"discount_minor": everything, "amount_minor": price - everything})
    card = [{"kind": "card", "amount_minor": paid}]
    tenders = [
        {"kind": "points", "amount_minor": minor, "redemption_id": redemption_id}
        for redemption_id, minor in sorted(zip(REDEMPTIONS, by_points, strict=True), key=_first_named(lines))
        if minor
    ]
    return (
        kind_of | {"total_minor": paid, "lines": discounted, "tenders": card},
        kind_of | {"total_minor": paid + sum(by_points), "lines": tendered, "tenders": card + tenders},
    )


def _named(kind: str) -> dict[str, Any]:
    if kind == "correction":
        return {"original": BOUGHT, "original_total_minor": 900}
    return {"original": BOUGHT} if kind == "return" else {}


def _first_named(lines: list[tuple[int, int, int, int]]) -> Any:
    """Tenders in the order in which lines name their redemptions."""
    order = [REDEMPTIONS[place] for line in lines for place in (0, 1) if line[2 + place]]
    return lambda tender: order.index(tender[0]) if tender[0] in order else len(order)


@given(KINDS, LINES)
def test_a_basket_is_the_same_event_whichever_way_its_till_prints_points(
    kind: str, lines: list[tuple[int, int, int, int]]
) -> None:
    discounted, tendered = posted_both_ways(kind, lines)

    assert event_of(discounted).data == event_of(tendered).data


def test_a_void_and_a_correction_repeat_a_total_beside_which_points_took_something_off() -> None:
    said = {"original": BOUGHT, "original_points_off_minor": 150}
    line = {"line_id": 1, "sku": "1", "quantity": "1", "amount_minor": 700}

    void = event_of(said | {"type": "void", "total_minor": 850})
    correction = event_of(
        said | {"type": "correction", "original_total_minor": 850, "total_minor": 700, "lines": [line]}
    )

    assert void.data.total_minor == 1_000
    assert correction.type == "loyalty.receipt.corrected.v1"
    assert (correction.data.original_total_minor, correction.data.total_minor) == (1_000, 700)
