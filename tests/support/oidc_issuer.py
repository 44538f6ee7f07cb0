"""A real OIDC issuer on a port of its own, with the keys of a test: it can be down, lie, rotate, and sign anything."""

import asyncio
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from fastapi import FastAPI, Response
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from shared.web import ExternalIssuer
from tests.support.serving import served

AUDIENCE = "tessera-staff"
ROLES = {
    "loyalty-managers": "programme_manager",
    "loyalty-approvers": "approver",
    "loyalty-partners": "partner_user",
    "loyalty-support": "support",
}
GENERATED: dict[str, Callable[[], Any]] = {
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519"),
}


class _Unchecked(JWSRegistry):
    """Signs whatever header it is given."""

    def check_header(self, header: Any) -> None:
        """Nothing is wrong."""


@cache  # an RSA key takes its time, and tests need no more than one by a name
def key_of(alg: str, name: str = "first") -> Any:
    """A private key that fits the algorithm; another name gives another one."""
    assert name
    return GENERATED[alg]()


def published(key: Any, kid: str, **members: Any) -> dict[str, Any]:
    """The public half as in a JWKS document."""
    return {**key.as_dict(private=False), "kid": kid, **members}


def signed(claims: dict[str, Any], key: Any, header: dict[str, Any]) -> str:
    """A token as it is asked for, however wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        wanted = {name: value for name, value in header.items() if value is not None}
        registry = _Unchecked(algorithms=[header["alg"]])
        return jwt.encode(wanted, claims, key, registry=registry)


@dataclass
class OidcIssuer:
    """Signs with RS256 (kid ``rsa``) and ES256 (``ec``) at first. What it publishes is there to be changed."""

    url: str = ""
    jwks: list[Any] = field(
        default_factory=lambda: [published(key_of("RS256"), "rsa"), published(key_of("ES256"), "ec")]
    )
    document: dict[str, Any] = field(default_factory=dict)
    is_down: bool = False
    asked: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, **changes: Any) -> ExternalIssuer:
        """How the settings name it."""
        named = {
            "issuer": self.url,
            "audience": AUDIENCE,
            "algorithms": ["RS256", "ES256"],
            "prefix": "corp",
            "roles_claim": "groups",
            "roles": ROLES,
            "partner_claim": "partner",
        }
        return ExternalIssuer.model_validate(named | changes)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good ones unless told otherwise; what is None is left out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "p7", "iat": now, "nbf": now, "exp": now + 600}
        return {
            name: value
            for name, value in ({"groups": ["loyalty-managers"]} | good | changes).items()
            if value is not None
        }

    def token(self, *, alg: str = "RS256", kid: str | None = "rsa", key: Any = None, **changes: Any) -> str:
        """A token with these claims; ``key`` in place of its own."""
        return signed(self.claims(**changes), key or key_of(alg), {"alg": alg, "kid": kid, "typ": "JWT"})

    def forged_with_secret(self) -> str:
        """The classic: HS256, with what is public as its secret."""
        secret = OctKey.import_key(str(self.jwks[0]["n"]))
        return signed(self.claims(), secret, {"alg": "HS256", "kid": "rsa"})

    def begin_again(self) -> None:
        """As it was at first, at the same address."""
        fresh = OidcIssuer()
        self.jwks, self.document, self.is_down, self.asked = fresh.jwks, fresh.document, False, 0

    def app(self) -> FastAPI:
        """Its two documents."""
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def configuration() -> Response:
            self.asked += 1
            return self._answer({"issuer": self.url, "jwks_uri": f"{self.url}/keys"} | self.document)

        @app.get("/keys")
        async def keys() -> Response:
            return self._answer({"keys": self.jwks})

        @app.get("/moved")
        async def moved() -> Response:
            return RedirectResponse(f"{self.url}/keys")

        @app.get("/hanging")
        async def hanging() -> Response:
            await self.may_answer.wait()
            return await keys()

        return app

    def _answer(self, document: Any) -> Response:
        return Response(orjson.dumps(document), 503 if self.is_down else 200, media_type="application/json")


@asynccontextmanager
async def running_issuer() -> AsyncIterator[OidcIssuer]:
    """An issuer that answers at ``url``."""
    issuer = OidcIssuer()
    async with served(issuer.app()) as issuer.url:
        yield issuer
