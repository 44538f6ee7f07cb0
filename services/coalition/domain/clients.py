"""How an API client changes. Pure: each function gives the client as it stands afterwards, one version higher."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from services.coalition.domain.errors import ClientRevokedError, RolesNotForPartnersError
from services.coalition.domain.registry import ApiClient, RateLimit
from services.coalition.domain.scopes import judge_grant
from shared.roles import is_binding_right, scopes_of


def with_new_secret(client: ApiClient, secret_hash: str, previous_valid_until: datetime | None) -> ApiClient:
    """The client with another secret. The one that it replaces stays good until a time, or ends at once (None).

    There are two at most: one that was replaced before and is still good ends now.

    Raises:
        ClientRevokedError: nothing of a revoked client changes any more.
    """
    _refuse_revoked(client)
    return replace(
        client,
        secret_hash=secret_hash,
        previous_secret_hash=None if previous_valid_until is None else client.secret_hash,
        previous_valid_until=previous_valid_until,
        version=client.version + 1,
    )


def with_scopes(client: ApiClient, scopes: Iterable[str]) -> ApiClient:
    """The client with exactly these scopes; the same client where it has them already.

    Raises:
        ClientRevokedError: nothing of a revoked client changes any more.
        ScopeNotForPartnersError: it is bound to a partner, and a scope is the programme's alone.
    """
    _refuse_revoked(client)
    judge_grant(client.partner_id, wanted := tuple(sorted(set(scopes))))
    return client if wanted == client.scopes else replace(client, scopes=wanted, version=client.version + 1)


def with_rate_limit(client: ApiClient, rate_limit: RateLimit | None) -> ApiClient:
    """The client with a limit of its own, or with that of the settings (None); the same client where it has it already.

    Raises:
        ClientRevokedError: nothing of a revoked client changes any more.
    """
    _refuse_revoked(client)
    is_new = rate_limit != client.rate_limit
    return replace(client, rate_limit=rate_limit, version=client.version + 1) if is_new else client


def with_roles(client: ApiClient, roles: Iterable[str]) -> ApiClient:
    """The person with exactly these roles, and the scopes that they give; the same where all is so already.

    Raises:
        ClientRevokedError: nothing of somebody who was revoked changes any more.
        RolesNotForPartnersError: a partner's user has no other role, and nobody else has this one.
    """
    _refuse_revoked(client)
    wanted = tuple(sorted(set(roles)))
    if not is_binding_right(wanted, client.partner_id):
        raise RolesNotForPartnersError("partner_user is the one role of people who are bound to a partner")
    scopes = tuple(sorted(scopes_of(wanted)))
    if (wanted, scopes) == (client.roles, client.scopes):
        return client
    return replace(client, roles=wanted, scopes=scopes, version=client.version + 1)


def revoked(client: ApiClient) -> ApiClient:
    """The client, for ever without access and secrets; the same client where it was revoked before."""
    if client.is_revoked:
        return client
    return replace(
        client, is_revoked=True, previous_secret_hash=None, previous_valid_until=None, version=client.version + 1
    )


def _refuse_revoked(client: ApiClient) -> None:
    if client.is_revoked:
        raise ClientRevokedError("the client was revoked, which is final: register another")
