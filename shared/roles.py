"""People, their roles, and what a role may do: one table for every service and every issuer of tokens."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias, get_args

Role: TypeAlias = Literal["programme_manager", "approver", "fraud_analyst", "support", "finance", "partner_user"]

ROLES: frozenset[str] = frozenset(get_args(Role))
# The only role of somebody who is bound to a partner, and a role of nobody else.
PARTNER_ROLE = "partner_user"

# A person's id among clients and tills: no client may be called so, and a till's id bears slashes.
PERSON_PREFIX = "person:"

# Who makes clients or people could make himself a second self that approves his drafts: no role has those scopes.
SCOPES_OF_ROLE: Mapping[str, frozenset[str]] = {
    "programme_manager": frozenset(
        {
            "partners:read",
            "partners:write",
            "operators:read",
            "operators:write",
            "contracts:read",
            "contracts:write",
            "rules:read",
            "rules:write",
            "privileges:read",
            "privileges:write",
            "backtests:read",
            "backtests:write",
            "tiers:read",
            "tiers:write",
            "segments:write",
            "memberships:read",
            "declarations:write",
            "rewards:write",
            "rewards:read",
            "adjustments:read",
            "member-events:read",
            "members:read",
            "messages:read",
        }
    ),
    "approver": frozenset(
        {
            "partners:read",
            "contracts:read",
            "contracts:approve",
            "rules:read",
            "rules:approve",
            "privileges:read",
            "privileges:approve",
            "backtests:read",
            "adjustments:approve",
            "adjustments:read",
            "receipt-moves:approve",
            "receipt-moves:read",
            "unlinked-returns:approve",
            "unlinked-returns:read",
            "audit:read",
        }
    ),
    "fraud_analyst": frozenset(
        {
            "cases:read",
            "cases:write",
            "spend-decisions:read",
            "operators:read",
            "members:read",
            "members:status",
            "households:read",
            "identifiers:write",
            "receipts:read",
            "redemptions:read",
            "balances:read",
        }
    ),
    "support": frozenset(
        {
            "members:read",
            "members:write",
            "members:status",
            "identifiers:write",
            "pins:reset",
            "spend-decisions:read",
            "consents:read",
            "consents:write",
            "tiers:read",
            "tiers:grant",
            "campaigns:join",
            "memberships:read",
            "receipts:read",
            "redemptions:read",
            "tender-exceptions:read",
            "tender-exceptions:settle",
            "receipts:claim",
            "points:reinstate",
            "debts:write-off",
            "receipt-moves:write",
            "receipt-moves:read",
            "unlinked-returns:write",
            "unlinked-returns:read",
            "adjustments:write",
            "adjustments:read",
            "member-events:read",
            "balances:read",
            "privileges:read",
            "rewards:read",
            "rewards:issue",
            "messages:read",
        }
    ),
    "finance": frozenset(
        {
            "partners:read",
            "contracts:read",
            "receipts:read",
            "redemptions:read",
            "tender-exceptions:read",
            "adjustments:read",
            "balances:read",
            "audit:read",
        }
    ),
    "partner_user": frozenset(
        {
            "partners:read",
            "operators:read",
            "contracts:read",
            "clients:read",
            "receipts:read",
            "redemptions:read",
            "tender-exceptions:read",
            "rewards:read",
            "cases:read",
        }
    ),
}


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """All that somebody with these roles may do; a role that is not known gives nothing."""
    return frozenset().union(*(SCOPES_OF_ROLE.get(role, frozenset()) for role in roles))


def is_binding_right(roles: Iterable[str], partner_id: str | None) -> bool:
    """Whether roles and binding go together: a partner's user is bound, has no other role, and nobody else is bound."""
    return (PARTNER_ROLE in (named := frozenset(roles))) == (partner_id is not None) and (
        partner_id is None or named == {PARTNER_ROLE}
    )


def is_person(client_id: str) -> bool:
    """Whether this is the id of a person and not of a client."""
    return client_id.startswith(PERSON_PREFIX)
