"""What the door makes of what a till has read: QR tokens, and identifiers that may not earn."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.accrual.domain.content_keys import ContentKeys
from services.accrual.repository.places import Tolerance
from services.accrual.schemas.documents import ReceiptBody
from services.accrual.use_cases.document_event import to_event
from services.accrual.use_cases.messages import purchase_message
from services.accrual.use_cases.read_document import (
    InvalidDocumentError,
    Issuer,
    Reading,
    Submission,
    identify,
    judge,
)
from shared.events.purchases import PurchaseRecorded, ReturnRecorded, Withheld
from shared.identifier_capabilities import Capabilities, Capability
from shared.ids import IdentifierKey, IdentifierKeys
from shared.qr_tokens import LIFE, RECEIPT_CLOCK_TOLERANCE, QrKeys
from shared.receipt_key import encode_receipt_key, receipt_id_of
from tests.support.accrual import PROGRAMME
from tests.support.qr import QR_KEYS, qr_token

MEMBER, SESSION = uuid4(), uuid4()
ISSUED_AT = datetime.fromisoformat("2026-11-01T12:00:00-05:00")
ISSUER = Issuer("grocer", None, None)
NO_EARNING = Capabilities(version=2, rows=(Capability(type="phone", entry_method="keyed", may_earn=False),))


def read(
    identifier: dict[str, str],
    occurred_at: datetime = ISSUED_AT,
    capabilities: Capabilities | None = None,
    **more: object,
) -> Submission:
    body: dict[str, Any] = {
        "key": {
            "scheme": "sequence",
            "store_id": "s1",
            "till_id": "1",
            "business_date": "2026-11-01",
            "shift": 1,
            "number": 1,
        },
        "occurred_at": occurred_at.isoformat(),
        "currency": "USD",
        "identifier": identifier,
        "total_minor": 1000,
        "lines": [{"line_id": 1, "sku": "1", "quantity": "1", "amount_minor": 1000}],
    } | more
    key = IdentifierKey(1, b"k" * 32)
    reading = Reading(
        IdentifierKeys(key), "US", QrKeys.parse(QR_KEYS), capabilities or Capabilities(), ContentKeys((b"c" * 32,))
    )
    return identify(ReceiptBody.model_validate(body), ISSUER, reading)


def token(keys: str = QR_KEYS) -> dict[str, str]:
    return {"type": "token", "value": qr_token(MEMBER, ISSUED_AT, SESSION, keys)}


@pytest.mark.parametrize("after", [timedelta(), LIFE, LIFE + RECEIPT_CLOCK_TOLERANCE, -RECEIPT_CLOCK_TOLERANCE])
def test_a_receipt_that_comes_hours_later_counts_if_its_token_did_when_it_was_made(after: timedelta) -> None:
    occurred_at = ISSUED_AT + after
    submission = read(token(), occurred_at)
    event = to_event(submission, submission.member_id, occurred_at + timedelta(hours=9), IdentifierKey(1, b"k" * 32))
    assert (event.data.member_id, event.data.session_id, event.data.identifier_hash) == (MEMBER, SESSION, None)


@pytest.mark.parametrize("after", [LIFE + RECEIPT_CLOCK_TOLERANCE * 1.01, -RECEIPT_CLOCK_TOLERANCE * 1.01])
def test_a_token_that_did_not_count_is_refused_at_its_field(after: timedelta) -> None:
    with pytest.raises(InvalidDocumentError) as refused:
        read(token(), ISSUED_AT + after)
    assert [fault.pointer for fault in refused.value.faults] == ["/identifier/value"]


def test_a_token_of_another_programme_is_refused() -> None:
    with pytest.raises(InvalidDocumentError):
        read(token("1:" + "77" * 32))


def test_what_may_not_earn_is_refused_and_everything_else_may() -> None:
    phone = {"type": "phone", "value": "+12125550123"}
    with pytest.raises(InvalidDocumentError) as refused:
        read(phone | {"entry_method": "keyed"}, capabilities=NO_EARNING)
    assert [fault.pointer for fault in refused.value.faults] == ["/identifier"]
    assert read(phone | {"entry_method": "scanned"}, capabilities=NO_EARNING).identifier_hash is not None
    assert read(phone | {"entry_method": "keyed"}).identifier_hash is not None  # a keyed phone earns, by default


def test_a_handover_names_the_receipts_of_its_own_partner_in_which_it_was_paid_ahead() -> None:
    read_one = read({"type": "card", "value": "4000000000000001"})
    paid = read_one.body.key.model_copy(update={"number": 7})
    body = read_one.body.model_copy(update={"prepaid": (paid,)})

    event = to_event(replace(read_one, body=body), None, ISSUED_AT, IdentifierKey(1, b"k" * 32))

    assert isinstance(event, PurchaseRecorded)
    assert event.data.prepaid_receipt_ids == (receipt_id_of(encode_receipt_key("grocer", paid)),)


def test_a_receipt_carries_the_session_that_a_checkout_opened() -> None:
    card = {"type": "card", "value": "400000000001"}
    event = to_event(read(card, session_id=str(SESSION)), MEMBER, ISSUED_AT, IdentifierKey(1, b"k" * 32))
    assert event.data.session_id == SESSION
    assert read(token(), session_id=str(SESSION)).session_id == SESSION
    with pytest.raises(InvalidDocumentError) as refused:
        read(token(), session_id=str(uuid4()))
    assert [fault.pointer for fault in refused.value.faults] == ["/session_id"]


def test_a_receipt_says_which_privileges_were_used_and_its_record_that_some_were() -> None:
    card = {"type": "card", "value": "400000000001"}
    used = [{"privilege_id": "tenth", "line_id": 1, "amount_minor": 100}, {"privilege_id": "queue"}]
    event = to_event(read(card, privileges=used), MEMBER, ISSUED_AT, IdentifierKey(1, b"k" * 32))
    assert isinstance(event, PurchaseRecorded)
    assert event.data.privileges is not None
    assert [(one.privilege_id, one.line_id, one.amount_minor) for one in event.data.privileges] == [
        ("tenth", 1, 100),
        ("queue", None, 0),
    ]
    assert ("privileges", b"1") in purchase_message(event).headers
    without = to_event(read(card), MEMBER, ISSUED_AT, IdentifierKey(1, b"k" * 32))
    assert b"privileges" not in without.to_bytes()
    assert "privileges" not in dict(purchase_message(without).headers)


@pytest.mark.parametrize(("paid_minor", "pointers"), [(995, []), (1000, ["/tenders"]), (None, [])])
def test_what_is_kept_of_a_refund_makes_up_what_the_tenders_lack(paid_minor: int | None, pointers: list[str]) -> None:
    """Ten dollars came back, and five cents were kept for five points."""
    key = {"scheme": "document", "source": "shop", "number": "1"}
    lines = [{"line_id": 1, "original_line_id": 1, "sku": "1", "quantity": "1", "amount_minor": 1000}]
    tenders = [] if paid_minor is None else [{"kind": "card", "amount_minor": paid_minor}]
    submission = read(
        {"type": "card", "value": "400000000001"},
        type="return",
        original=key,
        lines=lines,
        tenders=tenders,
        withheld={"points": 5, "amount_minor": 5},
    )
    event = to_event(submission, MEMBER, ISSUED_AT, IdentifierKey(1, b"k" * 32))
    assert isinstance(event, ReturnRecorded)
    assert event.data.withheld == Withheld(points=5, amount_minor=5)
    found: list[str] = []
    try:
        judge(submission, Tolerance(0, 0), "sequence", PROGRAMME, ISSUED_AT)
    except InvalidDocumentError as error:
        found = [fault.pointer for fault in error.faults]
    assert found == pointers
