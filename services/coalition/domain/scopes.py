"""What a client may be allowed to do, and what it gets in a token."""

from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

from services.coalition.domain.errors import ScopeNotForPartnersError

Scope: TypeAlias = Literal[
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
    "write-off-rules:write",
    "write-off-rules:approve",
    "write-off-rules:read",
    "privileges:write",
    "privileges:approve",
    "privileges:read",
    "gifts:write",
    "rewards:write",
    "rewards:read",
    "rewards:issue",
    "cases:write",
    "cases:read",
    "decisions:write",
    "spend-decisions:read",
    "pins:write",
    "pins:reset",
    "pins:verify",
    "messages:read",
    "retention:read",
    "retention:write",
]

SCOPES: frozenset[str] = frozenset(get_args(Scope))

# Who makes clients or people makes them without a binding; a member's address is the programme's, not a partner's, and
# so is what becomes of a membership; the audit log tells of everybody; what is declared (texts, terms, attributes)
# holds for all partners; what a partner pays, and what receipts earn, is settled between two of the programme's people;
# and who may block any card could block another partner's customers, who makes QR tokens can pay as anybody, and who
# gives, or takes rewards, may give away anybody's points; what is decided before points leave, and what returns would
# take of any partner's receipts, is asked by our own services; and by a PIN a member confirms towards the programme.
PROGRAMME_ONLY: frozenset[str] = frozenset(
    {
        "clients:write",
        "people:read",
        "people:write",
        "contracts:write",
        "contracts:approve",
        "top-ups:write",
        "rules:write",
        "rules:approve",
        "write-off-rules:write",
        "write-off-rules:approve",
        "privileges:write",
        "privileges:approve",
        "privileges:read",
        "backtests:write",
        "backtests:read",
        "backtests:members",
        "coalition:republish",
        "members:contact",
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
        "declarations:write",
        "adjustments:write",
        "adjustments:approve",
        "adjustments:read",
        "tiers:write",
        "tiers:grant",
        "segments:write",
        "memberships:read",
        "member-events:read",
        "receipts:claim",
        "returns:preview",
        "points:reinstate",
        "debts:write-off",
        "gifts:write",
        "decisions:write",
        "spend-decisions:read",
        "pins:write",
        "pins:reset",
        "pins:verify",
        "rewards:write",
        "rewards:issue",
        "receipt-moves:write",
        "receipt-moves:approve",
        "receipt-moves:read",
        "unlinked-returns:write",
        "unlinked-returns:approve",
        "unlinked-returns:read",
        "tender-exceptions:settle",
        "audit:read",
        "retention:read",
        "retention:write",
    }
)


def judge_grant(partner_id: str | None, scopes: Iterable[str]) -> None:
    """Whether a client with this binding may be given these scopes.

    Raises:
        ScopeNotForPartnersError: it is bound to a partner, and a scope is the programme's alone.
    """
    if partner_id is not None and (refused := sorted(PROGRAMME_ONLY.intersection(scopes))):
        raise ScopeNotForPartnersError(f"only the programme's own clients may have {', '.join(refused)}")


def narrowed_scopes(granted: Iterable[str], requested: str | None) -> frozenset[str] | None:
    """What a token gets (RFC 6749 §3.3): all that the client has, or the part that it asks for.

    None where the request names a scope that the client does not have, or names none at all.
    """
    everything = frozenset(granted)
    if requested is None:
        return everything
    wanted = frozenset(requested.split())
    return wanted if wanted and wanted <= everything else None
