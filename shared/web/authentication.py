"""Checks what stands behind ``Authorization: Bearer``: a signed token, or a till's key.

Tokens are checked against keys in memory; no request ever waits for an issuer, except that a token signed with a key
we have not seen makes us look once (at most once per ``UNKNOWN_KEY_PAUSE_SECONDS`` for all requests together, for each
issuer).
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from joserfc.jws import CompactSignature

from shared.web.external_issuers import ExternalIssuer
from shared.web.key_ring import UNKNOWN_KEY_PAUSE_SECONDS, KeyRing
from shared.web.keys import KeySource
from shared.web.known_clients import KnownClients, left_of
from shared.web.principal import Principal
from shared.web.problems import Problem
from shared.web.rate_limit import RateLimiter
from shared.web.tills import FindTill, KnownTills, is_till_key
from shared.web.token_checks import TOKEN_LENGTH_MAX, Claims, read_token, refuse, signed_claims, unverified_issuer
from shared.web.trusted_issuers import AUDIENCE, OutsideIssuer, OwnIssuer, TrustedIssuer

__all__ = ["AUDIENCE", "UNKNOWN_KEY_PAUSE_SECONDS", "Authenticator"]

VERIFIED_TOKENS_MAX = 4_096


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a good signature vouched for, and by which state of the issuer's keys."""

    issuer: TrustedIssuer
    generation: int
    claims: Claims


class Authenticator:
    """Turns a bearer credential into a ``Principal``. One a process; ``run`` keeps its keys fresh."""

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        external: Sequence[ExternalIssuer] = (),
        find_till: FindTill | None = None,
        now_seconds: Callable[[], float] = time.time,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._own = OwnIssuer(KeyRing(keys, name="own"), issuer)
        self._outside = {told.issuer: OutsideIssuer(told) for told in external}
        self._tills = KnownTills(find_till) if find_till is not None else None
        self._now_seconds = now_seconds  # real time: a token's life is no business time
        self._verified: OrderedDict[str, _Verified] = OrderedDict()
        self.clients = KnownClients()
        self.limiter = limiter

    def accept_tills(self, find_till: FindTill) -> None:
        """Take till keys too: ``find_till`` gets the SHA-256 in hex and answers None for unknown or revoked ones."""
        self._tills = KnownTills(find_till)

    @property
    def is_ready(self) -> bool:
        """Whether our own tokens can be checked: keys were loaded once. No external issuer holds a service up."""
        return self._own.ring.has_loaded

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the keys of every issuer fresh until ``stop``, each by itself: one that is down delays no other.

        At ``stop`` a fetch that is under way is given up: an issuer that hangs must not make us stop late.
        """
        async with asyncio.TaskGroup() as fetching:
            rings = (self._own.ring, *(issuer.ring for issuer in self._outside.values()))
            running = [fetching.create_task(ring.run()) for ring in rings]
            await stop.wait()
            for each in running:
                each.cancel()

    async def refresh(self) -> bool:
        """Fetch the keys of every issuer once; whether our own came."""
        has_own, *_ = await asyncio.gather(
            self._own.ring.refresh(), *(issuer.ring.refresh() for issuer in self._outside.values())
        )
        return has_own

    async def authenticate(self, credential: str | None) -> Principal:
        """The caller behind the credential.

        Raises:
            Problem: 401, or 503 while no keys of the token's issuer were ever loaded.
        """
        if not credential:
            raise refuse("missing", "Send Authorization: Bearer with a token (POST /oauth/token) or a till's key.")
        if credential.startswith("tk_"):
            return await self._till(credential)
        if len(credential) > TOKEN_LENGTH_MAX:
            raise refuse("malformed", "This is no token of ours: ask POST /oauth/token for one.")
        verified = self._verified.get(credential)
        # Fresh keys are asked again, so that one that was withdrawn vouches for nobody.
        if verified is None or verified.generation != verified.issuer.ring.generation:
            verified = await self._verify(credential)
            self._verified[credential] = verified
            if len(self._verified) > VERIFIED_TOKENS_MAX:
                self._verified.popitem(last=False)
        principal = verified.issuer.principal(verified.claims, self._now_seconds())
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

    async def _verify(self, token: str) -> _Verified:
        """The claims of a token whose signature is good. Time is not judged here: it is each time the token comes."""
        parts = read_token(token)
        issuer = self._issuer_of(parts)
        if not issuer.ring.has_loaded:
            raise Problem(
                503,
                "keys-unavailable",
                "Tokens cannot be checked: the issuer's keys were not loaded yet. Try again.",
                headers={"Retry-After": str(int(issuer.ring.retry_seconds))},
            )
        claims = await signed_claims(token, parts, issuer.ring, issuer.algorithms)
        return _Verified(issuer, issuer.ring.generation, claims)

    def _issuer_of(self, parts: CompactSignature) -> TrustedIssuer:
        """Whose keys the token is checked with. What names nobody we know is checked with our own, and fails there."""
        if not self._outside:
            return self._own
        return self._outside.get(unverified_issuer(parts) or "", self._own)
