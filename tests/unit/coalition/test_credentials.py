"""Secrets, seals, scopes and tokens."""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import ValidationError

from services.coalition.credentials.secrets import new_till_key
from services.coalition.credentials.tokens import InvalidSigningKeyError, TokenSigner
from services.coalition.domain.errors import ScopeNotForPartnersError
from services.coalition.domain.scopes import SCOPES, judge_grant, narrowed_scopes
from services.coalition.settings import CoalitionSettings
from shared import secret_hasher
from shared.sealing import Seal, SealBrokenError
from shared.secret_hasher import HasherBusyError, SecretHasher
from shared.web import Authenticator, StaticKeySource
from shared.web.principal import TILL_SCOPES

KEY: dict[str, Any] = dict(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True))
ISSUER = "https://issuer.invalid"


def test_a_seal_opens_what_it_closed_for_the_same_subject_alone() -> None:
    seal = Seal(b"s" * 32, "coalition")
    sealed = seal.close("tk_secret", "till a/b/c")
    assert "tk_secret" not in sealed
    assert sealed != seal.close("tk_secret", "till a/b/c")
    assert seal.open(sealed, "till a/b/c") == "tk_secret"
    for opener, text, about in (
        (seal, sealed, "till a/b/d"),
        (Seal(b"t" * 32, "coalition"), sealed, "till a/b/c"),
        (Seal(b"s" * 32, "members"), sealed, "till a/b/c"),
        (seal, "AAAA" + sealed, "till a/b/c"),
        (seal, "", "till a/b/c"),
        (seal, "é", "till a/b/c"),
    ):
        with pytest.raises(SealBrokenError):
            opener.open(text, about)


async def test_a_secret_is_proven_against_its_own_hash() -> None:
    hasher = SecretHasher()
    stored = await hasher.hash("right")
    assert stored.startswith("$argon2id$")
    assert stored != await hasher.hash("right")
    assert await hasher.verify(stored, "right")
    assert not await hasher.verify(stored, "wrong")
    assert not await hasher.verify(None, "right")


async def test_beyond_its_queue_the_hasher_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_hasher, "HASHES_WAITING_MAX", 2)
    hasher = SecretHasher()
    results = await asyncio.gather(*(hasher.hash("x") for _ in range(3)), return_exceptions=True)
    assert [isinstance(result, HasherBusyError) for result in results] == [False, False, True]
    assert await hasher.hash("x")  # the queue is empty again


def test_a_till_key_is_32_random_bytes() -> None:
    assert len(new_till_key()) == len("tk_") + 43
    assert new_till_key() != new_till_key()


async def test_a_signed_token_is_what_services_accept() -> None:
    signer = TokenSigner(KEY, issuer=ISSUER)
    authenticator = Authenticator(StaticKeySource(signer.public_jwks()), issuer=ISSUER)
    await authenticator.refresh()
    issued = signer.sign("pos", "acme", ["receipts:write", "receipts:read"], uuid4(), int(time.time()))
    principal = await authenticator.authenticate(issued.token)
    assert (principal.client_id, principal.partner_id) == ("pos", "acme")
    assert principal.scopes == {"receipts:write", "receipts:read"}
    assert issued.expires_in_seconds <= 15 * 60


def test_a_token_names_its_key_and_lives_a_quarter_of_an_hour() -> None:
    signer = TokenSigner(KEY | {"kid": "2026-11"}, issuer=ISSUER)
    decoded = jwt.decode(
        signer.sign("pos", None, ["rules:read"], uuid4(), 1_000).token, OKPKey.import_key(KEY), algorithms=["Ed25519"]
    )
    assert decoded.header == {"typ": "JWT", "alg": "Ed25519", "kid": "2026-11"}
    assert (decoded.claims["iat"], decoded.claims["exp"]) == (1_000, 1_900)
    assert "partner_id" not in decoded.claims


def test_only_the_public_half_is_published() -> None:
    (published,) = TokenSigner(KEY, issuer=ISSUER).public_jwks()
    assert set(published) == {"kty", "crv", "x", "kid", "use", "alg"}


@pytest.mark.parametrize("missing", ["kty", "crv", "x", "d"])
def test_a_signing_key_that_lacks_a_part_is_refused_without_being_shown(missing: str) -> None:
    with pytest.raises(InvalidSigningKeyError) as refused:
        TokenSigner({name: value for name, value in KEY.items() if name != missing}, issuer=ISSUER)
    assert str(KEY["d"]) not in str(refused.value)


def test_settings_show_no_secret() -> None:
    given = {
        "database_url": "postgresql://u:p4ssw0rd@localhost/t",
        "kafka_bootstrap_servers": "localhost:9092",
        "identifier_key": "ab" * 32,
        "signing_key": json.dumps(KEY),
        "bootstrap_clients": [{"client_id": "admin", "secret": "an admin's secret", "scopes": ["rules:read"]}],
    }
    shown = repr(CoalitionSettings.model_validate(given))
    for secret in ("p4ssw0rd", "ab" * 32, str(KEY["d"]), "admin's secret"):
        assert secret not in shown
    for change in (
        {"signing_key": "no json"},
        {"signing_key": "[1]"},
        {"signing_key": json.dumps(KEY | {"d": "AAAA"})},
        {"bootstrap_clients": [{"client_id": "a", "secret": "an admin's secret", "scopes": ["everything"]}]},
        {"bootstrap_clients": [{"client_id": "a", "secret": "too short", "scopes": ["rules:read"]}]},
    ):
        with pytest.raises(ValidationError) as refused:
            CoalitionSettings.model_validate(given | change)
        assert "admin's secret" not in str(refused.value)
        assert str(KEY["d"]) not in str(refused.value)


def test_a_partners_client_never_gets_what_is_the_programmes() -> None:
    judge_grant(None, SCOPES)
    judge_grant("acme", ["receipts:write", "members:write"])
    for scope in ("clients:write", "members:contact", "declarations:write"):
        with pytest.raises(ScopeNotForPartnersError, match=scope):
            judge_grant("acme", ["receipts:write", scope])


def test_a_token_gets_all_scopes_or_the_part_that_was_asked_for() -> None:
    granted = ("rules:read", "rules:write")
    assert narrowed_scopes(granted, None) == frozenset(granted)
    assert narrowed_scopes(granted, "rules:read") == frozenset({"rules:read"})
    assert narrowed_scopes(granted, "rules:read cases:read") is None
    assert narrowed_scopes(granted, " ") is None


def test_what_tills_may_do_are_scopes_that_clients_may_have() -> None:
    assert TILL_SCOPES <= SCOPES
