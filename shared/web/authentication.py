"""Checks what stands behind ``Authorization: Bearer``: a signed token, or a till's key.

Tokens are checked against keys in memory; no request ever waits for the issuer, except that a token signed with a key
we have not seen makes us look once (at most once per ``UNKNOWN_KEY_PAUSE_SECONDS`` for all requests together).
"""

import asyncio
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning

from shared.roles import ROLES
from shared.web.keys import Keys, KeySource, KeysUnavailableError
from shared.web.known_clients import KnownClients, left_of
from shared.web.metrics import KEY_FETCHES, TOKEN_REFUSALS
from shared.web.principal import Principal
from shared.web.problems import Problem
from shared.web.rate_limit import RateLimiter
from shared.web.tills import FindTill, KnownTills, is_till_key

AUDIENCE = "tessera"
# RFC 9864 calls EdDSA with Ed25519 simply Ed25519; both names mean the one algorithm we take.
ALGORITHMS = ("Ed25519", "EdDSA")
LEEWAY_SECONDS = 5
TOKEN_LENGTH_MAX = 4_096
TOKEN_LIFETIME_SECONDS_MAX = 15 * 60
KEYS_REFRESH_SECONDS = 300.0
KEYS_RETRY_SECONDS = 1.0
UNKNOWN_KEY_PAUSE_SECONDS = 10.0
VERIFIED_TOKENS_MAX = 4_096

log = structlog.get_logger(__name__)


class Authenticator:
    """Turns a bearer credential into a ``Principal``. One a process; ``run`` keeps its keys fresh."""

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        find_till: FindTill | None = None,
        now_seconds: Callable[[], float] = time.time,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._source = keys
        self._issuer = issuer
        self._tills = KnownTills(find_till) if find_till is not None else None
        self._now_seconds = now_seconds  # real time: a token's life is no business time
        self._keys: Keys = {}
        self._has_loaded = False
        self._looked_at_seconds = -UNKNOWN_KEY_PAUSE_SECONDS
        self._looking = asyncio.Lock()
        self._verified: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.clients = KnownClients()
        self.limiter = limiter

    def accept_tills(self, find_till: FindTill) -> None:
        """Take till keys too: ``find_till`` gets the SHA-256 in hex and answers None for unknown or revoked ones."""
        self._tills = KnownTills(find_till)

    @property
    def is_ready(self) -> bool:
        """Whether tokens can be checked: keys were loaded at least once."""
        return self._has_loaded

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch the keys now and every ``KEYS_REFRESH_SECONDS`` until ``stop``; a failure keeps the old ones."""
        while not stop.is_set():
            pause_seconds = KEYS_REFRESH_SECONDS if await self.refresh() else KEYS_RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_seconds):
                    await stop.wait()

    async def refresh(self) -> bool:
        """Fetch the keys once; whether it worked. Verified tokens are forgotten, so that a withdrawn key is too."""
        try:
            keys = await self._source.fetch()
            if not keys:
                raise KeysUnavailableError("the issuer publishes no key")  # noqa: TRY301 -- the same to us as silence
        except KeysUnavailableError as error:
            KEY_FETCHES.labels("failed").inc()
            log.warning("the token issuer's keys cannot be fetched", reason=str(error), has_older=self._has_loaded)
            return False
        KEY_FETCHES.labels("loaded").inc()
        self._keys = keys
        self._verified.clear()
        self._has_loaded = True
        return True

    async def authenticate(self, credential: str | None) -> Principal:
        """The caller behind the credential.

        Raises:
            Problem: 401, or 503 while no keys were ever loaded.
        """
        if not credential:
            raise refuse("missing", "Send Authorization: Bearer with a token (POST /oauth/token) or a till's key.")
        if credential.startswith("tk_"):
            return await self._till(credential)
        if len(credential) > TOKEN_LENGTH_MAX:
            raise refuse("malformed", "This is no token of ours: ask POST /oauth/token for one.")
        claims = self._verified.get(credential)
        if claims is None:
            claims = await self._verify(credential)
            self._verified[credential] = claims
            if len(self._verified) > VERIFIED_TOKENS_MAX:
                self._verified.popitem(last=False)
        principal = self._principal(claims)
        left = left_of(principal, self.clients.find(principal.client_id))
        if left is None:
            raise refuse("revoked", "The client was revoked: ask your administrator.")
        return left

    async def _till(self, till_key: str) -> Principal:
        if self._tills is None:
            raise refuse("till", "Till keys are not taken here: use a client's token (POST /oauth/token).")
        till = await self._tills.find(till_key) if is_till_key(till_key) else None
        if till is None:
            raise refuse("till", "This till key is not known, or was revoked: ask your administrator for a new one.")
        return Principal.of_till(till)

    async def _verify(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature is good. Time is not judged here: it is each time the token comes."""
        if not self._has_loaded:
            raise Problem(
                503,
                "keys-unavailable",
                "Tokens cannot be checked: the issuer's keys were not loaded yet. Try again.",
                headers={"Retry-After": str(int(KEYS_RETRY_SECONDS))},
            )
        malformed = refuse("malformed", "This is no token of ours: ask POST /oauth/token for one.", count=False)
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError) as error:
            TOKEN_REFUSALS.labels("malformed").inc()
            raise malformed from error
        if header.get("alg") not in ALGORITHMS:
            raise refuse("algorithm", f"Tokens are signed with {ALGORITHMS[0]}, and this one is not.")
        kid = header.get("kid")
        if not isinstance(kid, str) or (kid not in self._keys and not await self._look_for(kid)):
            raise refuse("unknown_key", "The token was signed with a key that its issuer does not publish.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # of the older name of the same algorithm
                return jwt.decode(token, self._keys[kid], algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError) as error:
            TOKEN_REFUSALS.labels("signature").inc()
            raise refuse("signature", "The token's signature is not good.", count=False) from error

    async def _look_for(self, kid: str) -> bool:
        """Whether a fresh set of keys has this one. However many strangers call, the issuer is asked rarely."""
        async with self._looking:
            if kid in self._keys:
                return True
            if time.monotonic() - self._looked_at_seconds < UNKNOWN_KEY_PAUSE_SECONDS:
                return False
            self._looked_at_seconds = time.monotonic()
            await self.refresh()
            return kid in self._keys

    def _principal(self, claims: dict[str, Any]) -> Principal:
        audience = claims.get("aud")
        if audience != AUDIENCE and not (isinstance(audience, list) and AUDIENCE in audience):
            raise refuse("audience", f"The token is for another audience: it must be {AUDIENCE}.")
        if claims.get("iss") != self._issuer:
            raise refuse("issuer", "The token comes from another issuer.")
        self._check_times(claims)
        subject, partner_id, scope = claims.get("sub"), claims.get("partner_id"), claims.get("scope", "")
        is_named = isinstance(subject, str) and bool(subject) and "/" not in subject
        if not is_named or not isinstance(partner_id, str | None) or partner_id == "" or not isinstance(scope, str):
            raise refuse("claims", "The token lacks a client, or names its partner or scopes in another form.")
        roles = claims.get("roles") or []
        if not isinstance(roles, list):
            raise refuse("claims", "The token names its roles in another form than a list.")
        return Principal(
            client_id=str(subject),
            partner_id=partner_id,
            scopes=frozenset(scope.split()),
            roles=ROLES.intersection(str(role) for role in roles),
        )

    def _check_times(self, claims: dict[str, Any]) -> None:
        now_seconds = self._now_seconds()
        expires = _seconds(claims.get("exp"), absent=0.0)
        if expires + LEEWAY_SECONDS <= now_seconds:
            raise refuse("expired", "The token has expired: ask POST /oauth/token for a new one.")
        if expires > now_seconds + TOKEN_LIFETIME_SECONDS_MAX + LEEWAY_SECONDS:
            raise refuse(
                "lifetime", "The token lives longer than tokens here may: ask POST /oauth/token for a new one."
            )
        for claim in ("iat", "nbf"):
            if _seconds(claims.get(claim), absent=0.0) > now_seconds + LEEWAY_SECONDS:
                raise refuse("not_yet", "The token is not valid yet: check the clocks.")


def refuse(reason: str, detail: str, *, count: bool = True) -> Problem:
    """A 401; ``reason`` labels the metric and is not told to the caller beyond ``detail``."""
    if count:
        TOKEN_REFUSALS.labels(reason).inc()
    challenge = 'Bearer realm="tessera"' + ("" if reason == "missing" else ', error="invalid_token"')
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": challenge})


def _seconds(value: object, *, absent: float) -> float:
    """A claim's moment; what is no number is as if it were not there."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else absent
