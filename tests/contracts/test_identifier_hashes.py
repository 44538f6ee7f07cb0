"""What stands for cards, phones, tokens and cashiers. A hash that changed would lose every card of the programme.

The expected values were computed with the standard library alone, as ``by_hand`` below does:

    >>> digest = hmac.new(bytes(range(32)), b"card:40001234567890", hashlib.sha256).digest()
    >>> "1." + base64.urlsafe_b64encode(digest).decode().rstrip("=")
    '1.4ALf9UfpECmS4zUMYckdN3iJ45MbXVva37iwUblsXRU'
"""

import base64
import hashlib
import hmac

import pytest

from shared.ids import IdentifierKey, IdentifierType, hash_identifier, normalise_identifier

KEY = IdentifierKey(version=1, secret=bytes(range(32)))
NEXT_KEY = IdentifierKey(version=2, secret=bytes(range(32, 64)))

GOLDEN = [
    (IdentifierType.CARD, "4000 1234-5678.90", "40001234567890", "1.4ALf9UfpECmS4zUMYckdN3iJ45MbXVva37iwUblsXRU"),
    (IdentifierType.CARD, "0000123", "0000123", "1.6KQlRcJxH9NdyVcLx2JkAlcpXXyO4Ybx5k1bJryVpuM"),
    (IdentifierType.CARD, "ab-12 cd", "AB12CD", "1.9ql5wOo9OC-3QVQypnQ89Jtge-E2XiYhEk_pZyqa-PA"),
    (IdentifierType.PHONE, "(212) 555-0123", "+12125550123", "1.F78Nn-IYWH9n48NSmS9DynI01HVDU6WPLg-DfPOV_-Y"),
    (IdentifierType.PHONE, "+44 20 7946 0123", "+442079460123", "1.w7k-ZA96jgeHKXUHuuXslPTsimg5wR38A1CvHua1Lgg"),
    (
        IdentifierType.TOKEN,
        " Qr.Token-Is_Case-Sensitive ",
        "Qr.Token-Is_Case-Sensitive",
        "1.DKb3v2TgQ4GdjJUtWAsfspMjm-x4YB2xCZPWWI7nFFs",
    ),
    (IdentifierType.OPERATOR, "grocer/0042", "grocer/0042", "1.S511nTzm_iI_WuOoJgDZz89YGcLT1Cxw7wUxboIlRjk"),
]


def by_hand(normal_form: str, kind: str, key: IdentifierKey) -> str:
    digest = hmac.new(key.secret, f"{kind}:{normal_form}".encode(), hashlib.sha256).digest()
    return f"{key.version}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


@pytest.mark.parametrize(("kind", "value", "normal_form", "expected"), GOLDEN)
def test_an_identifier_hash_never_changes(kind: IdentifierType, value: str, normal_form: str, expected: str) -> None:
    assert normalise_identifier(kind, value, "US") == normal_form
    assert hash_identifier(kind, normal_form, KEY) == expected == by_hand(normal_form, kind.value, KEY)


def test_the_type_and_the_key_are_part_of_the_hash() -> None:
    card = hash_identifier(IdentifierType.CARD, "12345", KEY)

    assert hash_identifier(IdentifierType.TOKEN, "12345", KEY) != card
    assert hash_identifier(IdentifierType.CARD, "12345", NEXT_KEY) == by_hand("12345", "card", NEXT_KEY)
    assert hash_identifier(IdentifierType.CARD, "12345", NEXT_KEY).startswith("2.")
