"""Whose points a return gives back, as accrual is told before it says what the member lacks."""

from datetime import UTC, datetime
from uuid import UUID

from services.redemption.domain.giving_back import GiveBack
from services.redemption.domain.goods_return import GoodsReturn
from services.redemption.domain.redemption import Capture, Redemption, Share, State
from services.redemption.domain.return_quote import PointsBack
from services.redemption.gateways.return_previews import ComesBack
from services.redemption.use_cases.quote_goods_return import coming_back

ANNA, BEN = UUID(int=1), UUID(int=2)
FIRST, SECOND = UUID(int=10), UUID(int=11)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def captured(redemption_id: UUID, own: int, lent: int, late: int, debt: int = 0) -> GiveBack:
    """A receipt took all of a hold of Anna's, of which Ben had lent some, and more than was held."""
    shares = (Share(BEN, UUID(int=20), lent, 0, lent),) if lent else ()
    redemption = Redemption(
        redemption_id, "points", State.CAPTURED, "grocer", ANNA, held_points=own + lent, shares=shares
    )
    points = own + lent + late + debt
    capture = Capture(redemption_id, b"receipt", points, late, 0, 0, own + lent, "event", "hash", debt_points=debt)
    return GiveBack(redemption, capture, NOON, GoodsReturn(b"", "", b"receipt", ()))


def test_what_was_lent_is_the_lenders_again_and_covers_nothing_of_the_members() -> None:
    """What was taken last comes back first: what was owed, then late, then lent, then the member's own."""
    found = {FIRST: captured(FIRST, own=50, lent=30, late=10, debt=5)}

    def back(points: int) -> tuple[ComesBack, ...]:
        return coming_back([PointsBack(FIRST, points, 0)], found)

    assert back(15) == (ComesBack(ANNA, "points", 15),)
    assert back(40) == (ComesBack(ANNA, "points", 15), ComesBack(BEN, "points", 25))
    assert back(95) == (ComesBack(ANNA, "points", 65), ComesBack(BEN, "points", 30))


def test_several_redemptions_of_one_receipt_are_one_sum() -> None:
    found = {FIRST: captured(FIRST, own=50, lent=0, late=0), SECOND: captured(SECOND, own=20, lent=0, late=0)}

    assert coming_back([PointsBack(FIRST, 50, 0), PointsBack(SECOND, 7, 0)], found) == (ComesBack(ANNA, "points", 57),)
