"""Which published keys may check which tokens."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from shared.web.keys import ALGORITHMS, KEYS_MAX, read_keys
from tests.support.oidc_issuer import key_of, published

RSA, EC, ED = key_of("RS256"), key_of("ES256"), key_of("Ed25519")
EVERY = sorted(ALGORITHMS)


@pytest.mark.parametrize(
    ("key", "members", "pinned", "algorithms"),
    [
        (RSA, {}, EVERY, {"RS256", "PS256"}),
        (RSA, {}, ["RS256"], {"RS256"}),
        (RSA, {"alg": "PS256", "use": "sig"}, EVERY, {"PS256"}),
        (EC, {}, EVERY, {"ES256"}),
        (ED, {}, ["EdDSA"], {"EdDSA", "Ed25519"}),
        (ED, {"alg": "EdDSA"}, ["Ed25519"], {"EdDSA", "Ed25519"}),
        (EC, {"d": "AAAA"}, ["ES256"], {"ES256"}),
    ],
)
def test_a_key_is_good_for_what_its_kind_its_publisher_and_the_pin_allow(
    key: Any, members: dict[str, Any], pinned: list[str], algorithms: set[str]
) -> None:
    read = read_keys([published(key, "k", **members)], pinned)
    assert read["k"].algorithms == algorithms
    assert not read["k"].key.is_private


@pytest.mark.parametrize(
    "jwk",
    [
        pytest.param({**OctKey.generate_key(256).as_dict(private=True), "kid": "k"}, id="symmetric"),
        pytest.param({**OctKey.generate_key(256).as_dict(private=True), "kid": "k", "alg": "RS256"}, id="in disguise"),
        pytest.param(published(RSA, "k", use="enc"), id="for encryption"),
        pytest.param(published(RSA, "k", alg="RSA-OAEP"), id="for another algorithm"),
        pytest.param(published(RSA, "k", alg="HS256"), id="for HMAC"),
        pytest.param(published(RSA, "k", alg=7), id="for a number"),
        pytest.param(published(RSA, ""), id="without a name"),
        pytest.param(RSA.as_dict(private=False), id="without a kid"),
        pytest.param(published(RSA, "k", n=None), id="without its modulus"),
        pytest.param(published(RSA, "k", e="AA"), id="with an exponent of none"),
        pytest.param(published(EC, "k", y="AAAA"), id="off its curve"),
        pytest.param(published(ECKey.generate_key("P-384"), "k"), id="on another curve"),
        pytest.param(published(OKPKey.generate_key("X25519"), "k"), id="for agreement"),
        pytest.param({"kty": ["RSA"], "kid": "k"}, id="of no kind"),
        pytest.param("k", id="no key at all"),
    ],
)
def test_what_no_token_is_signed_with_is_no_key(jwk: Any) -> None:
    assert read_keys([jwk], EVERY) == {}


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_weak_key_is_no_key() -> None:
    assert read_keys([published(RSAKey.generate_key(1024), "k")], EVERY) == {}


def test_of_two_with_one_name_the_first_counts_and_of_many_a_bounded_number() -> None:
    many = [published(RSA, "k"), published(EC, "k"), *(published(EC, f"k{number}") for number in range(40))]
    read = read_keys(many, EVERY)
    assert read["k"].algorithms == {"RS256", "PS256"}
    assert len(read) == KEYS_MAX
