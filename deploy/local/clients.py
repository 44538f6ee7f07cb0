"""The API clients that a local stack starts with, and how to get a token for one."""

import json
from collections.abc import Mapping

import httpx2

from deploy.local.errors import StackError
from shared.roles import SCOPES_OF_ROLE

TOKEN_SECONDS_MAX = 10.0

ADMIN_SCOPES = (
    "partners:write",
    "partners:read",
    "operators:read",
    "operators:write",
    "clients:read",
    "clients:write",
    "people:read",
    "people:write",
    "audit:read",
    "contracts:write",
    "contracts:approve",
    "contracts:read",
    "top-ups:write",
    "coalition:republish",
    "members:write",
    "members:read",
    "members:contact",
    "members:name",
    "consents:write",
    "consents:read",
    "declarations:write",
    "members:status",
    "members:audit",
    "members:merge",
    "members:erase",
    "members:export",
    "members:data",
    "members:republish",
    "households:write",
    "households:read",
    "identifiers:write",
    "identifiers:rekey",
    "qr-tokens:write",
    "receipts:write",
    "receipts:read",
    "receipts:claim",
    "receipts:release",
    "baskets:preview",
    "returns:preview",
    "points:reinstate",
    "debts:write-off",
    "receipt-moves:write",
    "receipt-moves:approve",
    "receipt-moves:read",
    "unlinked-returns:write",
    "unlinked-returns:approve",
    "unlinked-returns:read",
    "rules:write",
    "rules:approve",
    "rules:read",
    "write-off-rules:write",
    "write-off-rules:approve",
    "write-off-rules:read",
    "privileges:write",
    "privileges:approve",
    "privileges:read",
    "backtests:write",
    "backtests:read",
    "backtests:members",
    "adjustments:write",
    "adjustments:approve",
    "adjustments:read",
    "tiers:write",
    "tiers:read",
    "tiers:grant",
    "segments:write",
    "campaigns:join",
    "memberships:read",
    "member-events:write",
    "member-events:read",
    "balances:read",
    "redemptions:write",
    "redemptions:read",
    "tender-exceptions:read",
    "tender-exceptions:settle",
    "gifts:write",
    "rewards:write",
    "rewards:read",
    "rewards:issue",
    "cases:write",
    "cases:read",
    "spend-decisions:read",
    "decisions:write",
    "pins:write",
    "pins:reset",
    "pins:verify",
    "messages:read",
    "retention:read",
    "retention:write",
)
CLIENT_SCOPES: Mapping[str, tuple[str, ...]] = {
    "admin": ADMIN_SCOPES,
    # The second person: nobody approves what they wrote.
    "approver": tuple(sorted(SCOPES_OF_ROLE["approver"])),
    "members": ("members:data",),
    "notifications": ("members:contact",),
    "redemption": ("baskets:preview", "decisions:write", "members:name", "pins:verify", "returns:preview"),
}


def bootstrap_clients(client_secrets: Mapping[str, str]) -> str:
    """The value of ``TESSERA_BOOTSTRAP_CLIENTS``: the clients that coalition makes at its start."""
    return json.dumps(
        [
            {"client_id": client_id, "secret": client_secrets[client_id], "scopes": list(scopes)}
            for client_id, scopes in CLIENT_SCOPES.items()
        ]
    )


def fetch_token(coalition_url: str, client_id: str, secret: str) -> str:
    """A bearer token by client credentials, valid for at most 15 minutes."""
    try:
        response = httpx2.post(
            f"{coalition_url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(client_id, secret),
            timeout=TOKEN_SECONDS_MAX,
        )
    except httpx2.HTTPError as error:
        raise StackError(
            f"coalition does not answer at {coalition_url}: {error}. Is the stack up (make up)?"
        ) from error
    if response.status_code != httpx2.codes.OK:
        raise StackError(f"coalition gave no token to client {client_id}: {response.status_code} {response.text}")
    token = response.json()["access_token"]
    if not isinstance(token, str):
        raise StackError("coalition's answer holds no token")
    return token
