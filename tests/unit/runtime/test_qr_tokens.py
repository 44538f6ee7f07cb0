"""QR tokens: what one says, when it counts, and what a till can make of it."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.qr_tokens import (
    LIFE,
    NONCE_BYTES,
    InvalidQrKeysError,
    InvalidQrTokenError,
    QrKeys,
    QrToken,
    is_qr_token,
)

KEYS = QrKeys.parse("a:" + "5a" * 32)
NOON = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
TOKEN = QrToken(uuid4(), uuid4(), NOON)


def sealed(keys: QrKeys = KEYS) -> str:
    return keys.seal(TOKEN, secrets.token_bytes(NONCE_BYTES))


def test_a_token_says_what_was_sealed_and_two_have_only_the_session_in_common() -> None:
    one, other = sealed(), sealed()
    assert KEYS.open(one) == KEYS.open(f" {other} ") == TOKEN
    assert is_qr_token(one)
    assert one.split(".")[2] == other.split(".")[2] == base64.urlsafe_b64encode(TOKEN.session_id.bytes).decode()[:22]
    assert one.split(".")[3][:16] != other.split(".")[3][:16]
    raw = base64.urlsafe_b64decode(one.split(".")[3] + "==")
    assert TOKEN.member_id.bytes not in raw


def test_no_part_of_a_token_can_be_exchanged() -> None:
    for index, letter in enumerate(text := sealed()):
        altered = text[:index] + ("B" if letter != "B" else "C") + text[index + 1 :]
        if index == len(text) - 1 or index == text.rindex(".") - 1:
            continue  # the last letter of a part has bits that stand for nothing
        with pytest.raises(InvalidQrTokenError):
            KEYS.open(altered)
    strange = QrKeys.parse("a:" + "5b" * 32)
    with pytest.raises(InvalidQrTokenError):
        strange.open(text)


@pytest.mark.parametrize("text", ["", "TQ1.", "TQ1.a.b.c", "900123456789", "TQ1.a." + "A" * 22 + "." + "A" * 30])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidQrTokenError):
        KEYS.open(text)


def test_a_token_counts_from_its_issue_to_its_end() -> None:
    second, none = timedelta(seconds=1), timedelta()
    TOKEN.require(NOON, none)
    TOKEN.require(NOON + LIFE, none)
    for outside in (NOON - second, NOON + LIFE + second):
        with pytest.raises(InvalidQrTokenError):
            TOKEN.require(outside, none)
        TOKEN.require(outside, second)


def test_keys_are_replaced_without_a_stop() -> None:
    old, both = "a:" + "5a" * 32, "b:" + "5b" * 32 + ", a:" + "5a" * 32
    assert QrKeys.parse(both).open(sealed(QrKeys.parse(old))) == TOKEN
    assert sealed(QrKeys.parse(both)).startswith("TQ1.b.")
    with pytest.raises(InvalidQrTokenError):
        QrKeys.parse("").seal(TOKEN, bytes(NONCE_BYTES))


TOO_MANY = ",".join(f"{number}:{'5a' * 32}" for number in range(5))


@pytest.mark.parametrize("text", ["a", "a:zz", "a:" + "5a" * 32 + ",a:" + "5b" * 32, TOO_MANY])
def test_keys_that_cannot_be_read_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidQrKeysError) as refused:
        QrKeys.parse(text)
    assert "5a5a" not in str(refused.value)
