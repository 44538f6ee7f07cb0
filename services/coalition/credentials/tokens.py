"""Signs access tokens, and publishes the key that they are checked with."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import JsonValue

from shared.web.authentication import AUDIENCE

# EdDSA with Ed25519, by the name that RFC 9864 gives it; the older name says only "EdDSA".
ALGORITHM = "Ed25519"
LIFETIME_SECONDS = 15 * 60


class InvalidSigningKeyError(ValueError):
    """The signing key is not an Ed25519 private key in JWK form. The message never holds a part of it."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token, and for how long it is good."""

    token: str
    expires_in_seconds: int
    scopes: tuple[str, ...]


class TokenSigner:
    """Signs with one key. The key's ``kid`` is the JWK's own, else its RFC 7638 thumbprint."""

    def __init__(
        self, private_jwk: Mapping[str, JsonValue], *, issuer: str, published: Sequence[Mapping[str, str]] = ()
    ) -> None:
        """Take the key, and the public keys to publish beside it: the one to come, or the one before.

        Raises:
            InvalidSigningKeyError: not an Ed25519 private key.
        """
        self._issuer = issuer
        self._published = published
        self._key = _import_key(private_jwk)
        kid = private_jwk.get("kid")
        self.kid = kid if isinstance(kid, str) and kid else self._key.thumbprint()

    def sign(
        self,
        client_id: str,
        partner_id: str | None,
        scopes: Iterable[str],
        token_id: UUID,
        now_seconds: int,
        roles: Iterable[str] = (),
    ) -> AccessToken:
        """A token for a client, or a person with roles. ``now_seconds`` is real: a token's life is no business time."""
        in_order = tuple(sorted(scopes))
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": client_id,
            "scope": " ".join(in_order),
            "iat": now_seconds,
            "exp": now_seconds + LIFETIME_SECONDS,
            "jti": str(token_id),
        }
        if partner_id is not None:
            claims["partner_id"] = partner_id
        if named := sorted(roles):
            claims["roles"] = named
        header = {"alg": ALGORITHM, "kid": self.kid}
        return AccessToken(jwt.encode(header, claims, self._key, algorithms=[ALGORITHM]), LIFETIME_SECONDS, in_order)

    def public_jwks(self) -> list[dict[str, str]]:
        """The public half and those beside it, as they stand under ``/.well-known/jwks.json``."""
        public = {str(name): str(value) for name, value in self._key.as_dict(private=False).items()}
        others = (jwk for jwk in self._published if jwk["kid"] != self.kid)
        return [_published(public["x"], self.kid), *(_published(jwk["x"], jwk["kid"]) for jwk in others)]

    def key_material(self) -> bytes:
        """The private half, for keys to be derived from; never stored, logged or sent."""
        encoded = str(self._key.as_dict(private=True)["d"])
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def _published(x: str, kid: str) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": ALGORITHM}


def _import_key(private_jwk: Mapping[str, JsonValue]) -> OKPKey:
    parts = {name: private_jwk.get(name) for name in ("kty", "crv", "x", "d")}
    if parts["kty"] != "OKP" or parts["crv"] != "Ed25519" or not all(isinstance(part, str) for part in parts.values()):
        raise InvalidSigningKeyError("the signing key must be a private Ed25519 key in JWK form: kty OKP, crv, x, d")
    try:
        key = OKPKey.import_key({name: str(part) for name, part in parts.items()})
    except (JoseError, ValueError):
        raise InvalidSigningKeyError("the signing key's x and d are not those of an Ed25519 key") from None
    return key
