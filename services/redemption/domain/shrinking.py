"""How a hold becomes smaller while the rest of it stays reserved. Pure."""

from dataclasses import dataclass, replace

from services.redemption.domain.errors import ExceedsHoldError, HoldNotOpenError
from services.redemption.domain.pooling import drawn
from services.redemption.domain.redemption import Redemption, State


@dataclass(frozen=True, slots=True)
class Shrink:
    """Give ``points`` back to the balance: of each purse its part of ``parts``, the member's own first. The redemption
    stands as given once that is done.
    """

    redemption: Redemption
    points: int
    parts: tuple[int, ...]


def decide_shrink(redemption: Redemption, points: int) -> Shrink:
    """Keep ``points`` of what is reserved.

    Receipts draw on a redemption's purses one after the other, so what would be drawn last goes back: others' points
    before the member's own.

    Raises:
        HoldNotOpenError: nothing is reserved any more.
        ExceedsHoldError: less is reserved than is to be kept.
    """
    if redemption.state is not State.HELD:
        raise HoldNotOpenError(redemption.state)
    if points > redemption.open_points:
        raise ExceedsHoldError(points, redemption.open_points)
    purses = [redemption.own_open_points, *(share.open_points for share in redemption.shares)]
    kept = drawn(points, purses)
    let_go = redemption.open_points - points
    shrunk = replace(
        redemption,
        open_points=points,
        let_go_points=redemption.let_go_points + let_go,
        shares=tuple(replace(share, open_points=part) for share, part in zip(redemption.shares, kept[1:], strict=True)),
    )
    return Shrink(shrunk, let_go, tuple(purse - part for purse, part in zip(purses, kept, strict=True)))
