"""What the programme keeps to itself: no client that is bound to a partner may have it done, whatever its scopes."""

from shared.web.principal import Principal
from shared.web.problems import Problem


def refuse_partners(principal: Principal, what: str) -> None:
    """Let the programme's own clients and people pass alone. ``what`` is theirs, in words that go on with "for …".

    Raises:
        Problem: 403 for a partner's client, person or till.
    """
    if principal.partner_id is not None:
        detail = f"{what} for the programme's own clients and people alone: this client is bound to a partner."
        raise Problem(403, "programme-only", detail)
