"""Whether a partner's contract lets points be reserved there.

Contracts bind from the first one on: before it begins, and at a partner that never had one, nothing is enforced. A hold
cannot wait for a contract as a receipt can, so that without one in force it is refused.
"""

from typing import Literal, NamedTuple, TypeAlias

Reason: TypeAlias = Literal[
    "partner_funds_exhausted", "no_contract_in_force", "below_minimum", "not_in_steps", "type_not_in_contract"
]


class Funds(NamedTuple):
    """What a partner's contracts say now of a point type. ``is_bound``: a first one has begun; ``is_covered``: one is
    in force; ``has_rate``: it has a price for points of this type.
    """

    is_bound: bool = False
    is_covered: bool = False
    is_exhausted: bool = False
    minimum_points: int = 1
    step_points: int = 1
    has_rate: bool = True


UNBOUND = Funds()


def why_not_funded(funds: Funds, points: int) -> Reason | None:
    """Why these points may not be reserved there; None where they may."""
    if not funds.is_bound:
        return None
    if not funds.is_covered:
        return "no_contract_in_force"
    if not funds.has_rate:
        return "type_not_in_contract"
    if funds.is_exhausted:
        return "partner_funds_exhausted"
    if points < funds.minimum_points:
        return "below_minimum"
    return None if points % funds.step_points == 0 else "not_in_steps"
