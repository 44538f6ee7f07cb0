"""A token issuer for tests: the same keys and claims as the programme's own, and any wrong ones on request."""

import time
import warnings
from typing import Any

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, OKPKey

ISSUER = "https://tessera.invalid"


class Issuer:
    """Signs tokens with a key of its own; ``jwks`` is what it publishes."""

    def __init__(self, kid: str = "test-key") -> None:
        self.kid = kid
        self._key = OKPKey.generate_key("Ed25519")

    @property
    def jwks(self) -> list[dict[str, Any]]:
        """The public half, as in a JWKS document."""
        return [{**self._key.as_dict(private=False), "kid": self.kid}]

    def token(self, scope: str, *, alg: str = "Ed25519", kid: str | None = None, **claims: Any) -> str:
        """A token that is good unless ``claims`` say otherwise; a claim of None is left out."""
        now = int(time.time())
        told = {"iss": ISSUER, "aud": "tessera", "sub": "client-1", "scope": scope, "iat": now, "exp": now + 600}
        wanted = {name: value for name, value in (told | claims).items() if value is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            return jwt.encode({"alg": alg, "kid": kid or self.kid}, wanted, self._key, algorithms=[alg])

    def forged_with_secret(self, scope: str) -> str:
        """The classic: a token under HS256 whose secret is the public key."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "tessera", "sub": "client-1", "scope": scope, "iat": now, "exp": now + 600}
        secret = OctKey.import_key(str(self.jwks[0]["x"]))
        return jwt.encode({"alg": "HS256", "kid": self.kid}, claims, secret, algorithms=["HS256"])
