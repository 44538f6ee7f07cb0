"""What every token has to show, whoever issued it: a good signature of its issuer's key, an audience, and times.

Before the signature nothing in a token is believed. Its ``iss`` chooses whose keys it is checked with, and is checked
again after them.
"""

import json
import math
import warnings
from collections.abc import Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jws import CompactSignature, JWSRegistry

from shared.web.key_ring import KeyRing
from shared.web.keys import PublishedKey
from shared.web.metrics import TOKEN_REFUSALS
from shared.web.problems import Problem

LEEWAY_SECONDS = 5
TOKEN_LENGTH_MAX = 8_192
TOKEN_LIFETIME_SECONDS_MAX = 15 * 60
# RFC 9068 names the second; a logout token, which has the same issuer, subject and audience, names another one.
TOKEN_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})

Claims = Mapping[str, Any]


def read_token(token: str) -> CompactSignature:
    """The token's parts, none of them believed yet.

    Raises:
        Problem: 401.
    """
    try:
        parts = jws.extract_compact(token.encode())
        parts.headers()
    except (JoseError, ValueError, RecursionError) as error:
        raise refuse("malformed", "This is no token of ours: ask POST /oauth/token for one.") from error
    return parts


def unverified_issuer(parts: CompactSignature) -> str | None:
    """Who the token says it is of: good to choose a ring of keys by, and for nothing else."""
    try:
        claims = json.loads(parts.payload)  # as the library reads it afterwards
    except (ValueError, RecursionError):
        return None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else None


async def signed_claims(token: str, parts: CompactSignature, ring: KeyRing, algorithms: frozenset[str]) -> Claims:
    """The claims of a token that one of the ring's keys has signed by one of the algorithms. Nothing else is judged.

    Raises:
        Problem: 401.
    """
    header = parts.headers()
    algorithm, kid, token_type = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if algorithm not in algorithms:
        raise refuse("algorithm", f"Tokens of this issuer are signed with {_listed(algorithms)}, and this one is not.")
    if not isinstance(token_type, str) or token_type.lower() not in TOKEN_TYPES:
        raise refuse("type", "This is another kind of token: send an access token.")
    if not isinstance(kid, str) or not kid:
        raise refuse("unknown_key", "The token does not say which key signed it: it needs a kid.")
    key = await ring.find(kid)
    if key is None:
        raise refuse("unknown_key", "The token was signed with a key that its issuer does not publish.")
    if algorithm not in key.algorithms:
        raise refuse("algorithm", "The key that this token names is not one for its algorithm.")
    return _claims(token, key)


def _claims(token: str, published: PublishedKey) -> Claims:
    # A header that nobody here knows is passed over (RFC 7515 §4), unless crit says that it matters.
    registry = JWSRegistry(algorithms=sorted(published.algorithms), strict_check_header=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of the older name of Ed25519
            return jwt.decode(token, published.key, registry=registry).claims
    except (JoseError, ValueError, TypeError, RecursionError) as error:  # TypeError: a crit that is no list of names
        raise refuse("signature", "The token's signature is not good.") from error


def check_audience(claims: Claims, audience: str) -> None:
    """The token is for us.

    Raises:
        Problem: 401.
    """
    told = claims.get("aud")
    if told != audience and not (isinstance(told, list) and audience in told):
        raise refuse("audience", f"The token is for another audience: it must be {audience}.")


def check_times(claims: Claims, now_seconds: float, *, ask: str) -> None:
    """The token is good now, and not for longer than tokens are here. ``ask`` says where to get a new one.

    Raises:
        Problem: 401.
    """
    expires = moment(claims, "exp")
    if expires is None or expires + LEEWAY_SECONDS <= now_seconds:
        raise refuse("expired", f"The token has expired: {ask}.")
    if expires > now_seconds + TOKEN_LIFETIME_SECONDS_MAX + LEEWAY_SECONDS:
        raise refuse("lifetime", f"The token lives longer than tokens here may: {ask}.")
    for claim in ("iat", "nbf"):
        begins = moment(claims, claim)
        if begins is not None and begins > now_seconds + LEEWAY_SECONDS:
            raise refuse("not_yet", "The token is not valid yet: check the clocks.")


def moment(claims: Claims, claim: str) -> float | None:
    """A claim's moment in seconds, None where it is not there.

    Raises:
        Problem: 401; it is no number.
    """
    value = claims.get(claim)
    if value is None:
        return None
    try:
        seconds = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise refuse("claims", f"The token's {claim} is no number of seconds.")
    return seconds


def refuse(reason: str, detail: str) -> Problem:
    """A 401; ``reason`` labels the metric and is not told to the caller beyond ``detail``."""
    TOKEN_REFUSALS.labels(reason).inc()
    challenge = 'Bearer realm="tessera"' + ("" if reason == "missing" else ', error="invalid_token"')
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": challenge})


def _listed(algorithms: frozenset[str]) -> str:
    return " or ".join(sorted(algorithms - {"EdDSA"}))
