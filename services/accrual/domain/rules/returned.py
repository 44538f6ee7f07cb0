"""What becomes of points that are to be taken back and are not there any more."""

from typing import Literal

from services.accrual.domain.rules.values import Frozen


class Returned(Frozen):
    """``claw_back``: what the member has already spent is owed, and later points clear it first (``debt``); or whoever
    issued the points bears it, and nobody owes anything (``clip``); or the document that would take them back is
    refused, and the points stay (``refuse``).
    """

    claw_back: Literal["debt", "clip", "refuse"] = "debt"
