"""What articles do not cost less than, from coalition's topic: a row only moves to a higher version.

Of a floor that was taken away the row stays: an old word that comes late must find the newer one.
"""

from collections.abc import Sequence

from shared.database import Transaction
from shared.events.goods import PriceFloorData
from shared.events.versions import highest

SAVE = """
    insert into redemption_price_floors (partner_id, sku, floor_minor, version)
    select *
    from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
        as told (partner_id, sku, floor_minor, version)
    order by partner_id collate "C", sku collate "C"
    on conflict (partner_id, sku) do update
        set floor_minor = excluded.floor_minor, version = excluded.version
        where redemption_price_floors.version < excluded.version
"""


async def save(transaction: Transaction, floors: Sequence[PriceFloorData]) -> None:
    """Project floors; of several versions in one call the highest stays."""
    rows = highest(floors, lambda floor: (floor.partner_id, floor.sku))
    await transaction.raw.execute(
        SAVE,
        [row.partner_id for row in rows],
        [row.sku for row in rows],
        [row.floor_minor for row in rows],
        [row.version for row in rows],
    )
