"""What a member may spend of one point type, and on what. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.ledger import Usable


class Spendable(NamedTuple):
    """``pooled`` is others' in the household; ``usable`` says on what that and the member's own may be spent."""

    pooled: int
    usable: Sequence[Usable]
