"""What a member may spend of one point type, and on what. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.ledger import Usable


class Spendable(NamedTuple):
    """``available`` is the member's own, ``pooled`` others' in the household; ``usable`` says on what both may be
    spent.
    """

    available: int
    pooled: int
    usable: Sequence[Usable]
