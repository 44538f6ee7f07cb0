"""The public keys that tokens are checked with, and what gives them."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

# How many of those that are published are looked at, and how many of them kept.
PUBLISHED_MAX = 100
KEYS_MAX = 16
# Below, a modulus can be taken apart; above, each look at a signature would cost as much as its issuer likes.
RSA_BITS_MIN = 2_048
RSA_BITS_MAX = 8_192

# What a signature can be made with here. A shared secret (HMAC) or none at all has no name in this list.
Algorithm: TypeAlias = Literal["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
ALGORITHMS: frozenset[str] = frozenset(get_args(Algorithm))

# RFC 9864 calls EdDSA with Ed25519 simply Ed25519; both names mean the one algorithm that our own tokens have.
OWN_ALGORITHMS: tuple[Algorithm, ...] = ("Ed25519", "EdDSA")

# Kind of key (kty, crv) → the members of its public half, and what it can sign with.
_KINDS: Mapping[tuple[str, str | None], tuple[tuple[str, ...], frozenset[str]]] = {
    ("OKP", "Ed25519"): (("kty", "crv", "x"), frozenset(OWN_ALGORITHMS)),
    ("EC", "P-256"): (("kty", "crv", "x", "y"), frozenset({"ES256"})),
    ("RSA", None): (("kty", "n", "e"), frozenset({"RS256", "PS256"})),
}


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A public key, and the algorithms that its kind, its publisher and its issuer's pin all allow it."""

    key: OKPKey | ECKey | RSAKey
    algorithms: frozenset[str]


Keys = Mapping[str, PublishedKey]


class KeysUnavailableError(Exception):
    """The keys cannot be had now; the message says from where and why."""


class KeySource(Protocol):
    """Gives an issuer's present public keys by their ``kid``."""

    async def fetch(self) -> Keys:
        """All keys that may sign tokens now.

        Raises:
            KeysUnavailableError: they cannot be had; the ones fetched before stay in use.
        """
        ...


class StaticKeySource:
    """Keys that this very process holds: the issuer does not ask itself over HTTP."""

    def __init__(self, public_jwks: Sequence[Mapping[str, Any]]) -> None:
        self._keys = read_keys(public_jwks)

    async def fetch(self) -> Keys:
        """The keys given at the start."""
        return self._keys


def with_other_names(algorithms: Collection[str]) -> frozenset[str]:
    """These algorithms under all their names: who pins EdDSA or Ed25519 means both."""
    named = frozenset(algorithms)
    return named | frozenset(OWN_ALGORITHMS) if named & frozenset(OWN_ALGORITHMS) else named


def read_keys(public_jwks: Sequence[Any], algorithms: Collection[str] = OWN_ALGORITHMS) -> Keys:
    """The keys that bear a ``kid`` and fit one of ``algorithms``; of two with one ``kid`` the first; ``KEYS_MAX``.

    All others are passed over, since no token is signed with them: symmetric ones above all, those for encryption,
    weak ones and malformed ones.
    """
    pinned = with_other_names(algorithms)
    keys: dict[str, PublishedKey] = {}
    for jwk in public_jwks[:PUBLISHED_MAX]:
        kid = jwk.get("kid") if isinstance(jwk, Mapping) else None
        if isinstance(kid, str) and kid and kid not in keys and (key := _read_key(jwk, pinned)) is not None:
            keys[kid] = key
        if len(keys) == KEYS_MAX:
            break
    return keys


def _read_key(jwk: Mapping[str, Any], pinned: frozenset[str]) -> PublishedKey | None:
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None) or jwk.get("use", "sig") != "sig":
        return None
    members, able = _KINDS.get((kind, curve), ((), frozenset[str]()))
    declared = jwk.get("alg")
    allowed = able & pinned & (with_other_names([str(declared)]) if declared is not None else able)
    if not allowed:
        return None
    # Only the public half: a private one that was published by mistake is not kept in memory.
    public = {member: value for member in members if isinstance(value := jwk.get(member), str)}
    if len(public) < len(members):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of a short key, which is not taken
            key = _import(kind, dict(public))
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(key, RSAKey) and not RSA_BITS_MIN <= key.public_key.key_size <= RSA_BITS_MAX:
        return None
    return PublishedKey(key, allowed)


def _import(kind: str, public: dict[str, str | list[str]]) -> OKPKey | ECKey | RSAKey:
    match kind:
        case "RSA":
            return RSAKey.import_key(public)
        case "EC":
            return ECKey.import_key(public)
        case _:
            return OKPKey.import_key(public)
