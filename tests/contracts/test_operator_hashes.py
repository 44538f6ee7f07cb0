"""The register of operators and the receipts that they made meet by hashes: both sides make the same ones."""

from datetime import UTC, datetime

import pytest

from services.accrual.schemas.documents import ReceiptBody
from services.accrual.use_cases.document_event import to_event
from services.accrual.use_cases.read_document import Submission
from services.coalition.domain.operators import OperatorHashing, oldest_version
from services.coalition.schemas.operators import OperatorBody
from shared.ids import IdentifierKey, IdentifierKeys
from shared.receipt_key import encode_receipt_key

KEY = IdentifierKey(version=1, secret=bytes(range(32)))
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
REGISTER = OperatorHashing(IdentifierKeys(KEY), "US")
RECEIPT = {
    "key": {
        "scheme": "sequence",
        "store_id": "s1",
        "till_id": "1",
        "business_date": "2026-11-01",
        "shift": 1,
        "number": 1,
    },
    "occurred_at": NOON.isoformat(),
    "currency": "USD",
    "total_minor": 100,
    "lines": [{"line_id": 1, "sku": "1", "quantity": "1", "amount_minor": 100}],
}


def in_receipts(said: str) -> str | None:
    """What accrual's door writes into the event of a receipt that names this operator."""
    body = ReceiptBody.model_validate(RECEIPT | {"operator_id": said})
    key = encode_receipt_key("grocer", body.key)
    submission = Submission(body, "grocer", "s1", "1", key, "0" * 64, None)
    return to_event(submission, None, NOON, KEY).data.operator_hash


@pytest.mark.parametrize("said", ["7", "0042", " 0042 ", "Kasse 3 / Anna", "Zoë", "Zoe\u0308", "x" * 64])
def test_an_operator_is_registered_under_the_hash_that_receipts_bear(said: str) -> None:
    registered = REGISTER.operator_hash("grocer", OperatorBody(operator_id=said).operator_id)
    assert registered == in_receipts(said)
    assert registered != REGISTER.operator_hash("fuel", said.strip())


def test_both_hashes_never_change() -> None:
    assert REGISTER.operator_hash("grocer", "0042") == "1.S511nTzm_iI_WuOoJgDZz89YGcLT1Cxw7wUxboIlRjk"
    assert oldest_version(REGISTER) == 1
    assert REGISTER.card_hashes("ab-12 cd") == ("1.9ql5wOo9OC-3QVQypnQ89Jtge-E2XiYhEk_pZyqa-PA",)
