"""The signing key is replaced without a token that is refused in between."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from services.coalition.credentials.tokens import TokenSigner
from services.coalition.settings import CoalitionSettings
from shared.web import Authenticator, Problem
from shared.web.keys import Keys, read_keys
from tests.support.registries import ISSUER, REQUIRED


def new_key() -> dict[str, Any]:
    return dict(OKPKey.generate_key("Ed25519", private=True, auto_kid=True).as_dict(private=True))


def public(key: dict[str, Any]) -> dict[str, str]:
    return {name: key[name] for name in ("kty", "crv", "x", "kid")}


def settings(signing: dict[str, Any], *published: dict[str, Any]) -> CoalitionSettings:
    return CoalitionSettings.model_validate(
        REQUIRED | {"signing_key": json.dumps(signing), "published_keys": list(published)}
    )


class Jwks:
    """What coalition publishes at present."""

    def __init__(self) -> None:
        self.signer: TokenSigner

    async def fetch(self) -> Keys:
        return read_keys(self.signer.public_jwks())


def token_of(signer: TokenSigner) -> str:
    return signer.sign("pos", None, ["rules:read"], uuid4(), int(time.time())).token


async def test_tokens_of_both_keys_are_good_until_the_old_one_is_withdrawn() -> None:
    old, new, jwks = new_key(), new_key(), Jwks()
    door = Authenticator(jwks, issuer=ISSUER)

    async def start(signing: dict[str, Any], *published: dict[str, Any]) -> str:
        jwks.signer = settings(signing, *published).token_signer()
        await door.refresh()
        return token_of(jwks.signer)

    first = await start(old, public(new))
    assert (await door.authenticate(first)).client_id == "pos"
    second = await start(new, public(old))
    for token in (first, second):
        assert (await door.authenticate(token)).client_id == "pos"
    third = await start(new)
    for token in (second, third):
        assert (await door.authenticate(token)).client_id == "pos"
    with pytest.raises(Problem):
        await door.authenticate(first)


def test_the_signing_key_is_published_once() -> None:
    key = new_key()
    assert [jwk["kid"] for jwk in settings(key, public(key)).token_signer().public_jwks()] == [key["kid"]]


def test_a_private_key_is_never_published() -> None:
    other = new_key()
    with pytest.raises(ValidationError) as refused:
        settings(new_key(), other)
    assert other["d"] not in str(refused.value)
    assert all("d" not in jwk for jwk in settings(new_key(), public(other)).token_signer().public_jwks())


@pytest.mark.parametrize("wrong", [{"kty": "RSA"}, {"crv": "X25519"}, {"kid": ""}, {"x": "AAAA"}])
def test_what_is_no_public_key_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings(new_key(), public(new_key()) | wrong)
