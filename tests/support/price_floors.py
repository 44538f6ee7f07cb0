"""What coalition tells of price floors, as others read it."""

from shared.events.goods import PriceFloorChanged, PriceFloorData
from shared.ids import new_id
from tests.support.redemption import NOON


def floor(
    sku: str, floor_minor: int | None = None, version: int = 1, *, partner_id: str = "grocer"
) -> PriceFloorChanged:
    """A unit of an article does not cost less than this from now on; without a floor it may cost anything again."""
    data = PriceFloorData(partner_id=partner_id, sku=sku, version=version, floor_minor=floor_minor)
    return PriceFloorChanged(id=new_id(), source="test", subject=f"{partner_id}/{sku}", time=NOON, data=data)
