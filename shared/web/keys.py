"""Where the public keys come from that tokens are checked with."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

FETCH_TIMEOUT_SECONDS = 2.0
KEYS_MAX = 16

Keys = Mapping[str, OKPKey]


class KeysUnavailableError(Exception):
    """The keys cannot be had now; the message says from where and why."""


class KeySource(Protocol):
    """Gives the issuer's present public keys by their ``kid``."""

    async def fetch(self) -> Keys:
        """All keys that may sign tokens now.

        Raises:
            KeysUnavailableError: they cannot be had; the ones fetched before stay in use.
        """
        ...


class HttpKeySource:
    """Fetches a JWKS document over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def fetch(self) -> Keys:
        """One GET with a deadline of ``FETCH_TIMEOUT_SECONDS``."""
        try:
            async with httpx2.AsyncClient(timeout=FETCH_TIMEOUT_SECONDS, trust_env=False) as client:
                answer = await client.get(self._url)
                answer.raise_for_status()
                document = answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise KeysUnavailableError(f"{self._url}: {type(error).__name__}") from error
        published = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(published, list):
            raise KeysUnavailableError(f"{self._url}: not a JWKS document")
        return read_keys([jwk for jwk in published if isinstance(jwk, dict)])


class StaticKeySource:
    """Keys that this very process holds: the issuer does not ask itself over HTTP."""

    def __init__(self, public_jwks: Sequence[Mapping[str, Any]]) -> None:
        self._keys = read_keys(public_jwks)

    async def fetch(self) -> Keys:
        """The keys given at the start."""
        return self._keys


def read_keys(public_jwks: Sequence[Mapping[str, Any]]) -> Keys:
    """Ed25519 keys that bear a ``kid``; all others are passed over, since no token of ours is signed with them."""
    keys: dict[str, OKPKey] = {}
    for jwk in public_jwks[:KEYS_MAX]:
        if (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519"):
            continue
        kid = jwk.get("kid")
        try:
            # Only the public half: a private one that was published by mistake is not kept in memory.
            key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": str(jwk.get("x", ""))})
        except (JoseError, ValueError):
            continue
        if isinstance(kid, str) and kid:
            keys[kid] = key
    return keys
