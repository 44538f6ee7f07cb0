"""Keys fetched over HTTP: from an address, or from where an OIDC issuer's own document says.

Nothing that comes back can harm us: it has a deadline, a bound on its bytes, no redirect is followed, and whatever is
wrong with it is ``KeysUnavailableError``, by which the keys from before stay in use.
"""

import asyncio
from collections.abc import Collection
from typing import Any

import httpx2
import orjson

from shared.web.addresses import is_trustworthy
from shared.web.authorities import trusted_authorities
from shared.web.keys import OWN_ALGORITHMS, Keys, KeysUnavailableError, read_keys

FETCH_TIMEOUT_SECONDS = 2.0
# An issuer's document and its keys together, name look-ups and handshakes in: a request may wait for this.
DISCOVERY_DEADLINE_SECONDS = 4.0
DOCUMENT_BYTES_MAX = 262_144
WELL_KNOWN = "/.well-known/openid-configuration"


class HttpKeySource:
    """Fetches a JWKS document from one address."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def fetch(self) -> Keys:
        """One GET with a deadline of ``FETCH_TIMEOUT_SECONDS``."""
        async with _client() as client:
            document = await _get(client, self._url, FETCH_TIMEOUT_SECONDS)
        return _keys_in(document, self._url, OWN_ALGORITHMS)


class DiscoveredKeySource:
    """The keys of an OIDC issuer (OpenID Connect Discovery 1.0), of which those that fit ``algorithms`` are read.

    The document is fetched anew each time, so that keys may move. It must call the issuer exactly as we do, and its
    ``jwks_uri`` must be https; plain http is taken on this host, and only where the issuer itself is here.
    """

    def __init__(self, issuer: str, algorithms: Collection[str]) -> None:
        self._issuer = issuer
        self._algorithms = algorithms
        self._document_url = issuer.removesuffix("/") + WELL_KNOWN

    async def fetch(self) -> Keys:
        """Two GETs, together within ``DISCOVERY_DEADLINE_SECONDS``."""
        try:
            async with asyncio.timeout(DISCOVERY_DEADLINE_SECONDS), _client() as client:
                url = self._keys_url(await _get(client, self._document_url, DISCOVERY_DEADLINE_SECONDS))
                document = await _get(client, url, DISCOVERY_DEADLINE_SECONDS)
        except TimeoutError:
            raise KeysUnavailableError(f"{self._document_url}: no answer in time") from None
        return _keys_in(document, url, self._algorithms)

    def _keys_url(self, document: Any) -> str:
        told = document if isinstance(document, dict) else {}
        if told.get("issuer") != self._issuer:
            raise KeysUnavailableError(f"{self._document_url}: it names another issuer than the settings do")
        url = told.get("jwks_uri")
        if not isinstance(url, str) or not is_trustworthy(url, may_be_local=self._issuer.startswith("http:")):
            raise KeysUnavailableError(f"{self._document_url}: its jwks_uri is no https address")
        return url


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        timeout=FETCH_TIMEOUT_SECONDS, trust_env=False, follow_redirects=False, verify=trusted_authorities()
    )


async def _get(client: httpx2.AsyncClient, url: str, deadline_seconds: float) -> Any:
    # Compressed, a few bytes could become any number of them.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    try:
        async with asyncio.timeout(deadline_seconds), client.stream("GET", url, headers=headers) as answer:
            answer.raise_for_status()
            body = b""
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > DOCUMENT_BYTES_MAX:
                    raise KeysUnavailableError(f"{url}: more than {DOCUMENT_BYTES_MAX} bytes")
        return orjson.loads(body)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise KeysUnavailableError(f"{url}: {type(error).__name__}") from error
    except TimeoutError:
        raise KeysUnavailableError(f"{url}: no answer in time") from None


def _keys_in(document: Any, url: str, algorithms: Collection[str]) -> Keys:
    published = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(published, list):
        raise KeysUnavailableError(f"{url}: not a JWKS document")
    return read_keys(published, algorithms)
