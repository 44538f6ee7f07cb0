"""Those whose tokens are taken, and the callers that their claims make: our own token endpoint, and external issuers.

Claims come here with a good signature of the issuer's key. Their times are judged each time that a token comes.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from shared.roles import PARTNER_ROLE, PERSON_PREFIX, ROLES, is_binding_right, scopes_of
from shared.web.external_issuers import ExternalIssuer
from shared.web.key_ring import EXTERNAL_RETRY_SECONDS, KeyRing
from shared.web.key_sources import DiscoveredKeySource
from shared.web.keys import OWN_ALGORITHMS, with_other_names
from shared.web.principal import Principal
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN
from shared.web.token_checks import (
    LEEWAY_SECONDS,
    TOKEN_LIFETIME_SECONDS_MAX,
    Claims,
    check_audience,
    check_times,
    moment,
    refuse,
)

AUDIENCE = "tessera"
ROLES_PER_TOKEN_MAX = 1_000

# An id and no address, since it stands in events and in the audit log; without a slash, which is a till's.
_SUBJECT = re.compile(r"[A-Za-z0-9._:|=~-]{1,128}")
_PARTNER_ID = re.compile(rf"(?=.{{1,{CODE_LENGTH_MAX}}}$){CODE_PATTERN}")


class TrustedIssuer(Protocol):
    """One whose tokens are taken."""

    ring: KeyRing
    algorithms: frozenset[str]

    def principal(self, claims: Claims, now_seconds: float) -> Principal:
        """The caller of a token whose signature is good.

        Raises:
            Problem: 401; a claim is wrong, or the token is not good now.
        """
        ...


class OwnIssuer:
    """Our own token endpoint: its tokens say client, partner and scopes as they are."""

    def __init__(self, ring: KeyRing, issuer: str) -> None:
        self.ring = ring
        self.algorithms = frozenset[str](OWN_ALGORITHMS)
        self._issuer = issuer

    def principal(self, claims: Claims, now_seconds: float) -> Principal:
        """The client or the person that we issued the token for."""
        check_audience(claims, AUDIENCE)
        if claims.get("iss") != self._issuer:
            raise refuse("issuer", "The token comes from another issuer.")
        check_times(claims, now_seconds, ask="ask POST /oauth/token for a new one")
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


class OutsideIssuer:
    """An issuer of the settings: its tokens say who somebody is, and what he may do is said by our table of roles.

    Its people are ``person:<prefix>:<subject>``. Neither our own people nor clients have such ids, and no two issuers
    share a prefix, so that drafts and approvals are told apart rightly.
    """

    def __init__(self, told: ExternalIssuer) -> None:
        source = DiscoveredKeySource(told.issuer, told.algorithms)
        self.ring = KeyRing(source, name=told.prefix, retry_seconds=EXTERNAL_RETRY_SECONDS)
        self.algorithms = with_other_names(told.algorithms)
        self._told = told

    def principal(self, claims: Claims, now_seconds: float) -> Principal:
        """The person, with the scopes of the roles that the settings know; names that they do not know give nothing."""
        told = self._told
        check_audience(claims, told.audience)
        if claims.get("iss") != told.issuer:
            raise refuse("issuer", "The token comes from another issuer.")
        self._check_lifetime(claims)
        check_times(claims, now_seconds, ask=f"ask its issuer ({told.prefix}) for a new one")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            raise refuse(
                "claims",
                "The token's sub cannot be taken: have its issuer give an id, no address, of at most 128 letters, "
                "digits and . _ : | = ~ -",
            )
        roles = self._roles(claims)
        partner_id = self._partner_id(claims)
        if roles and not is_binding_right(roles, partner_id):
            raise refuse(
                "claims",
                f"Roles and partner do not go together: who has {PARTNER_ROLE} needs a partner and has no other role, "
                "and nobody else has a partner.",
            )
        return Principal(
            client_id=f"{PERSON_PREFIX}{told.prefix}:{subject}",
            partner_id=partner_id,
            scopes=scopes_of(roles),
            roles=roles,
        )

    def _check_lifetime(self, claims: Claims) -> None:
        issued, expires = moment(claims, "iat"), moment(claims, "exp")
        if issued is None or expires is None:
            raise refuse("claims", "The token lacks iat or exp: have its issuer say when it begins and ends.")
        if expires - issued > TOKEN_LIFETIME_SECONDS_MAX + LEEWAY_SECONDS:
            raise refuse(
                "lifetime",
                f"The token lives {int((expires - issued) // 60)} minutes, and here at most "
                f"{TOKEN_LIFETIME_SECONDS_MAX // 60}: set the lifetime of access tokens at its issuer "
                f"({self._told.prefix}) to {TOKEN_LIFETIME_SECONDS_MAX // 60} minutes or less.",
            )

    def _roles(self, claims: Claims) -> frozenset[str]:
        found = _at(claims, self._told.roles_claim)
        names = [found] if isinstance(found, str) else [] if found is None else found
        if not isinstance(names, list) or len(names) > ROLES_PER_TOKEN_MAX:
            raise refuse("claims", f"The token's {_spelt(self._told.roles_claim)} is no list of names.")
        known = self._told.roles
        return frozenset(known[name] for name in names if isinstance(name, str) and name in known)

    def _partner_id(self, claims: Claims) -> str | None:
        path = self._told.partner_claim
        found = None if path is None else _at(claims, path)
        if found is None:
            return None
        if not isinstance(found, str) or not _PARTNER_ID.fullmatch(found):
            raise refuse("claims", f"The token's {_spelt(path or ())} is no partner's id.")
        return found


def _at(claims: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What is found there, None where the way ends before."""
    found: Any = claims
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _spelt(path: tuple[str, ...]) -> str:
    return " → ".join(path)
