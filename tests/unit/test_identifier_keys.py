"""The identifier keys: one, or two of two versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import IdentifierKey, IdentifierKeys, IdentifierType, hash_identifier, key_version_of

secrets = st.binary(min_size=32, max_size=32)
versions = st.integers(1, 999_999_999)


@given(st.lists(versions, min_size=2, max_size=2, unique=True), st.lists(secrets, min_size=2, max_size=2, unique=True))
def test_everything_is_known_under_both_keys_whichever_is_the_present_one(used: list[int], made: list[bytes]) -> None:
    one, other = (IdentifierKey(version, secret) for version, secret in zip(used, made, strict=True))

    forwards, backwards = IdentifierKeys(one, other), IdentifierKeys(other, one)

    hashes = forwards.hashes(IdentifierType.CARD, "0042")
    assert hashes == tuple(hash_identifier(IdentifierType.CARD, "0042", key) for key in (one, other))
    assert backwards.hashes(IdentifierType.CARD, "0042") == hashes[::-1]
    assert [key_version_of(each) for each in hashes] == used
    assert forwards.oldest == backwards.oldest
    assert forwards.oldest.version == min(used)


def test_one_key_makes_one_hash() -> None:
    assert len(IdentifierKeys(IdentifierKey(1, b"k" * 32)).hashes(IdentifierType.PHONE, "+12125550142")) == 1


def test_two_keys_have_two_versions_and_are_two() -> None:
    with pytest.raises(ValueError, match="a version of its own"):
        IdentifierKeys(IdentifierKey(1, b"k" * 32), IdentifierKey(1, b"l" * 32))
    with pytest.raises(ValueError, match="make a new one"):
        IdentifierKeys(IdentifierKey(1, b"k" * 32), IdentifierKey(2, b"k" * 32))


def test_keys_do_not_show() -> None:
    shown = repr(IdentifierKeys(IdentifierKey(1, b"k" * 32), IdentifierKey(2, b"l" * 32)))
    assert "kkk" not in shown
    assert "lll" not in shown
