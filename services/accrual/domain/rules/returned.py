"""What becomes of points that are to be taken back and are not there any more, and of returns that name no purchase."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from services.accrual.domain.rules.values import Frozen

# Far more than anybody would give up for the trouble of collecting it.
FORGIVE_BELOW_MAX = 100_000


class Returned(Frozen):
    """``claw_back``: what the member has already spent is owed, and later points clear it first (``debt``); or whoever
    issued the points bears it, and nobody owes anything (``clip``); or the document that would take them back is
    refused, and the points stay (``refuse``), but of a receipt that points had paid for: then they are clipped, since
    what had paid comes back.

    ``forgive_below``: so little that nobody shall owe it. What is lacking of the programme's own points of one purchase
    is left to whoever issued them as long as it stays below this, all in all, whatever comes back in however many
    returns; from there on ``claw_back`` says what becomes of it.

    ``withhold``: tills are asked to keep money of the refund for what is lacking, at what points pay; the points are
    the member's, then. What is lacking and no money was kept for is as ``claw_back`` says.

    ``unlinked``: a return that names no purchase is refused (``refuse``); or kept, and takes no points (``ignore``); or
    takes what its goods give everybody by the rules of its own time (``claw_back``); or waits for a person (``park``).
    """

    claw_back: Literal["debt", "clip", "refuse"] = "debt"
    unlinked: Literal["refuse", "ignore", "claw_back", "park"] = "refuse"
    withhold: StrictBool = False
    forgive_below: Annotated[StrictInt, Field(ge=2, le=FORGIVE_BELOW_MAX)] | None = None
