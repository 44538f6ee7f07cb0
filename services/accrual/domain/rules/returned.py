"""What becomes of points that are to be taken back and are not there any more, and of returns that name no purchase."""

from typing import Literal

from services.accrual.domain.rules.values import Frozen


class Returned(Frozen):
    """``claw_back``: what the member has already spent is owed, and later points clear it first (``debt``); or whoever
    issued the points bears it, and nobody owes anything (``clip``); or the document that would take them back is
    refused, and the points stay (``refuse``), but of a receipt that points had paid for: then they are clipped, since
    what had paid comes back.

    ``unlinked``: a return that names no purchase is refused (``refuse``); or kept, and takes no points (``ignore``); or
    takes what its goods give everybody by the rules of its own time (``claw_back``); or waits for a person (``park``).
    """

    claw_back: Literal["debt", "clip", "refuse"] = "debt"
    unlinked: Literal["refuse", "ignore", "claw_back", "park"] = "refuse"
