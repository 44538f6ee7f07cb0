"""Content hashes are keyed, and compare equal for ever, whichever keys came since."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.content_keys import KEYS_MAX, ContentKeys, InvalidContentKeysError

FIRST, SECOND, THIRD = (bytes([each]) * 32 for each in (1, 2, 3))
DIGEST = hashlib.sha256(b"a document").hexdigest()
# What a document's hash comes to under these keys, by version; they never change.
GOLDEN = (
    (1, "9809c65cd0ea1abff75bf8da56c9053c661079f52e40e3b839a816b30260372d"),
    (2, "490ab6a4ca917b334bd3afcdbe8a40b0d95ba6763d8d2f530bcb085ac7e1145f"),
)


def of_version(version: int, digest: str = DIGEST) -> bytes:
    """A hash as it was stored when there were so many keys; 0: before there were any."""
    return bytes.fromhex(ContentKeys((FIRST, SECOND, THIRD)[:version]).seal(digest))


@pytest.mark.parametrize(("keys", "sealed"), GOLDEN)
def test_a_sealed_hash_never_changes(keys: int, sealed: str) -> None:
    assert of_version(keys).hex() == sealed


def test_a_hash_is_nobodys_to_try_without_the_key() -> None:
    assert of_version(0) == hashlib.sha256(b"a document").digest()
    assert of_version(1) == hmac.digest(FIRST, hashlib.sha256(b"a document").digest(), "sha256")


@given(st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_the_same_contents_are_alike_under_any_two_versions_and_others_under_none(
    stored: int, come: int, is_same: bool
) -> None:
    other = DIGEST if is_same else hashlib.sha256(b"another").hexdigest()
    keys = ContentKeys((FIRST, SECOND, THIRD))
    assert keys.are_alike(of_version(stored), of_version(come, other)) is is_same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1:zz",
        "2:" + "ab" * 32,
        f"1:{'ab' * 32},1:{'cd' * 32}",
        f"1:{'ab' * 32},3:{'cd' * 32}",
        ",".join(f"{number}:{'ab' * 32}" for number in range(1, KEYS_MAX + 2)),
    ],
)
def test_versions_are_counted_from_one_without_a_hole(text: str) -> None:
    with pytest.raises(InvalidContentKeysError) as refused:
        ContentKeys.parse(text)
    assert "ab" * 32 not in str(refused.value)


def test_a_key_shows_nowhere() -> None:
    assert FIRST.hex() not in repr(ContentKeys.parse(f"1:{FIRST.hex()}"))
