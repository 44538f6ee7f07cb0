"""What a document of each kind must have, and what it must not."""

from typing import Any

import pytest

from services.accrual.domain.receipts import check_line_ids, check_sums
from services.accrual.schemas.documents import ReceiptBody
from services.accrual.use_cases.document_kinds import faults_of_kind
from services.accrual.use_cases.points_discounts import faults_of_points_discounts

KEY = {"scheme": "document", "source": "shop", "number": "1"}
OTHER = KEY | {"number": "2"}
LINE = {"line_id": 1, "sku": "1", "quantity": "1", "amount_minor": 1000}
CORRECTION = {"type": "correction", "original": KEY | {"number": "0"}, "original_total_minor": 900}
POINTS = {"kind": "points", "amount_minor": 100, "redemption_id": "018f0000-0000-7000-8000-000000000001"}
USED = {"privilege_id": "tenth", "line_id": 1, "amount_minor": 100}
CARD = {"kind": "card", "amount_minor": 1}
RETURN = {"type": "return", "original": KEY, "lines": [LINE | {"original_line_id": 1}]}
KEPT = {"points": 5, "amount_minor": 5}
EXCHANGE = {"type": "exchange", "original": KEY, "returned_lines": [LINE | {"line_id": 2, "original_line_id": 1}]}


def faults(**said: Any) -> list[str]:
    """The pointers of what is wrong with a document."""
    body = {"key": KEY, "occurred_at": "2026-11-01T12:00:00Z", "currency": "USD", "total_minor": 1000, "lines": [LINE]}
    return [fault.pointer for fault in faults_of_kind(ReceiptBody.model_validate(body | said))]


@pytest.mark.parametrize(
    ("said", "pointers"),
    [
        ({}, []),
        ({"lines": []}, ["/lines"]),
        ({"original": KEY}, ["/original"]),
        ({"tenders": [POINTS]}, []),
        ({"tenders": [{"kind": "points", "amount_minor": 100}]}, ["/tenders/0/redemption_id"]),
        ({"tenders": [POINTS], "lines": [LINE | {"settlement": "full"}, LINE | {"settlement": "credit"}]}, []),
        ({"tenders": [POINTS], "lines": [LINE, LINE | {"settlement": "advance"}]}, ["/tenders/0/kind"]),
        ({"type": "return"}, ["/lines/0/original_line_id"]),
        ({"prepaid": [OTHER]}, []),
        ({"prepaid": [KEY]}, ["/prepaid/0"]),
        ({"prepaid": [OTHER, OTHER]}, ["/prepaid/1"]),
        ({"prepaid": [OTHER], "lines": [LINE | {"settlement": "prepayment"}]}, ["/prepaid"]),
        ({"type": "void", "lines": [], "original": KEY, "prepaid": [OTHER]}, ["/prepaid"]),
        ({"privileges": [USED, {"privilege_id": "queue"}]}, []),
        ({"privileges": [USED, USED]}, ["/privileges/1"]),
        ({"privileges": [USED | {"line_id": 2}]}, ["/privileges/0/line_id"]),
        ({"privileges": [{"privilege_id": "tenth", "amount_minor": 5}]}, ["/privileges/0/line_id"]),
        (EXCHANGE | {"privileges": [USED]}, []),
        ({"type": "return", "lines": [LINE | {"original_line_id": 1}], "privileges": [USED]}, ["/privileges"]),
        (CORRECTION | {"privileges": [USED]}, ["/privileges"]),
        (RETURN | {"withheld": KEPT}, []),
        (RETURN | {"withheld": KEPT | {"amount_minor": 1001}}, ["/withheld/amount_minor"]),
        (RETURN | {"withheld": KEPT, "original": None}, ["/withheld"]),
        ({"withheld": KEPT}, ["/withheld"]),
        (EXCHANGE | {"withheld": KEPT}, ["/withheld"]),
        ({"type": "return", "lines": []}, ["/lines"]),
        ({"total_minor": -1}, ["/total_minor"]),
        ({"returned_lines": []}, ["/returned_lines"]),
        (EXCHANGE, []),
        (EXCHANGE | {"total_minor": -1, "tenders": [CARD]}, []),
        (EXCHANGE | {"original": None}, ["/original"]),
        (EXCHANGE | {"lines": [], "returned_lines": []}, ["/lines", "/returned_lines"]),
        (EXCHANGE | {"returned_lines": [LINE]}, ["/returned_lines/0/original_line_id"]),
        (EXCHANGE | {"lines": [LINE | {"settlement": "prepayment"}]}, ["/lines/0/settlement"]),
        (EXCHANGE | {"tenders": [{"kind": "points", "amount_minor": 100}]}, ["/tenders/0/redemption_id"]),
        (EXCHANGE | {"total_minor": -100, "tenders": [CARD, POINTS]}, ["/tenders/1/kind"]),
        ({"type": "void", "lines": [], "original": KEY}, []),
        ({"type": "void", "lines": [], "original": KEY, "total_minor": -100}, []),
        ({"type": "void", "lines": []}, ["/original"]),
        ({"original_total_minor": 1}, ["/original_total_minor"]),
        (CORRECTION, []),
        (CORRECTION | {"original": KEY}, ["/original"]),
        ({"type": "correction", "lines": []}, ["/lines", "/original", "/original_total_minor"]),
        (CORRECTION | {"tenders": [{"kind": "points", "amount_minor": 100}]}, ["/tenders/0/redemption_id"]),
        ({"type": "void", "original": KEY, "tenders": [POINTS], "coupons": ["A"]}, ["/lines", "/tenders", "/coupons"]),
    ],
)
def test_a_document_has_what_its_kind_needs(said: dict[str, Any], pointers: list[str]) -> None:
    assert faults(**said) == pointers


@pytest.mark.parametrize(
    ("total_minor", "tenders_minor", "pointers"),
    [
        (300, [300], []),
        (-200, [150, 50], []),
        (0, [], []),
        (300, [200], ["/tenders"]),
        (1000, [1000], ["/total_minor"]),
        (-200, [200], []),
    ],
)
def test_an_exchange_adds_up_to_what_was_paid_either_way(
    total_minor: int, tenders_minor: list[int], pointers: list[str]
) -> None:
    worth = {300: 700, -200: 1200, 0: 1000, 1000: 700}[total_minor]
    body = ReceiptBody.model_validate(
        EXCHANGE
        | {"key": KEY, "occurred_at": "2026-11-01T12:00:00Z", "currency": "USD", "total_minor": total_minor}
        | {"lines": [LINE], "returned_lines": [LINE | {"line_id": 2, "amount_minor": worth, "original_line_id": 1}]}
    )

    sums = check_sums(body.lines, total_minor, tenders_minor, 0, 0, body.returned_lines or ())

    assert [fault.pointer for fault in sums.faults] == pointers


def test_lines_of_both_sides_are_numbered_together() -> None:
    lines = ReceiptBody.model_validate(
        EXCHANGE
        | {"key": KEY, "occurred_at": "2026-11-01T12:00:00Z", "currency": "USD", "total_minor": 0}
        | {"lines": [LINE], "returned_lines": [LINE | {"original_line_id": 1}]}
    )

    assert [fault.pointer for fault in check_line_ids(lines.lines, lines.returned_lines or ())] == [
        "/returned_lines/0/line_id"
    ]


OFF = [{"redemption_id": POINTS["redemption_id"], "amount_minor": 100}]
CHEAPER = LINE | {"discount_minor": 100, "points_discounts": OFF}


@pytest.mark.parametrize(
    ("said", "pointers"),
    [
        ({"lines": [CHEAPER]}, []),
        ({"lines": [LINE, CHEAPER | {"discount_minor": 99}]}, ["/lines/1/points_discounts"]),
        ({"lines": [CHEAPER, LINE | {"settlement": "advance"}]}, ["/lines/0/points_discounts"]),
        ({"type": "return", "lines": [CHEAPER | {"settlement": "advance"}]}, []),
        (EXCHANGE | {"lines": [CHEAPER]}, ["/lines"]),
        ({"lines": [CHEAPER], "tenders": [CARD] * 50}, ["/lines"]),
        ({"original_points_off_minor": 1}, ["/original_points_off_minor"]),
        (CORRECTION | {"original_points_off_minor": 1}, []),
    ],
)
def test_what_points_took_off_lines_is_said_where_it_can_be_so(said: dict[str, Any], pointers: list[str]) -> None:
    body = {"key": KEY, "occurred_at": "2026-11-01T12:00:00Z", "currency": "USD", "total_minor": 1000, "lines": [LINE]}
    found = faults_of_points_discounts(ReceiptBody.model_validate(body | said))
    assert [fault.pointer for fault in found] == pointers
