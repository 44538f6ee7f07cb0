"""What a client that is bound to a partner may see and say of members."""

from shared.web import Principal, Problem


def refuse_for_others(principal: Principal, partner_id: str | None) -> None:
    """Let a bound client speak for its own partner alone."""
    if not principal.sees(partner_id):
        raise Problem(
            403,
            "partner-mismatch",
            f"/partner_id: this client speaks for its own partner alone: set partner_id to {principal.partner_id}.",
        )
