"""What a document of each kind must have, and what it must not."""

from typing import Any

import pytest

from services.accrual.schemas.receipts import ReceiptBody
from services.accrual.use_cases.document_kinds import faults_of_kind

KEY = {"scheme": "document", "source": "shop", "number": "1"}
LINE = {"line_id": 1, "sku": "1", "quantity": "1", "amount_minor": 1000}
CORRECTION = {"type": "correction", "original": KEY | {"number": "0"}, "original_total_minor": 900}
POINTS = {"kind": "points", "amount_minor": 100, "redemption_id": "018f0000-0000-7000-8000-000000000001"}


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
        ({"type": "return", "lines": []}, ["/lines"]),
        ({"type": "void", "lines": [], "original": KEY}, []),
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
