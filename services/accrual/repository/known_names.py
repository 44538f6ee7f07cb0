"""What rules may name: partners and stores, segments, attributes, types of events, categories that are mapped."""

from collections.abc import Collection
from datetime import date

from services.accrual.domain.rule_faults import Known
from services.accrual.domain.rule_faults.known import KnownAttribute
from services.accrual.repository import member_event_types
from shared.database import Transaction

_PARTNERS = "select partner_id from partners"

_STORES = """
    select partner_id, store_id from stores
        join unnest($1::text[], $2::text[]) as asked (partner_id, store_id) using (partner_id, store_id)
"""

_CATEGORIES = """
    select partner_id, array_agg(distinct category) as categories
    from category_mappings cross join unnest(path || partner_category) as category
    group by partner_id
"""

_SEGMENTS = "select code from segments"

_ATTRIBUTES = "select code, value_type, choices from attributes"

_PATHS = "select distinct path from category_mappings where path <> '{}'"


async def load_known(transaction: Transaction, stores: Collection[tuple[str, str]], earliest: date | None) -> Known:
    """All partners, segments and attributes; those of these stores that are there; what mappings tell of categories."""
    partners = await transaction.raw.fetch(_PARTNERS)
    found = await transaction.raw.fetch(
        _STORES, [partner_id for partner_id, _ in stores], [store_id for _, store_id in stores]
    )
    categories = await transaction.raw.fetch(_CATEGORIES)
    above: dict[str, set[str]] = {}
    for row in await transaction.raw.fetch(_PATHS):
        path = row["path"]
        for at, category in enumerate(path):
            above.setdefault(category, set()).update(path[:at])
    return Known(
        partners=frozenset(row["partner_id"] for row in partners),
        stores=frozenset((row["partner_id"], row["store_id"]) for row in found),
        categories={row["partner_id"]: frozenset(row["categories"]) for row in categories},
        above={category: frozenset(higher) for category, higher in above.items()},
        earliest=earliest,
        attributes={
            row["code"]: KnownAttribute(row["value_type"], frozenset(row["choices"]))
            for row in await transaction.raw.fetch(_ATTRIBUTES)
        },
        segments=frozenset(row["code"] for row in await transaction.raw.fetch(_SEGMENTS)),
        event_types={kind.code: kind for kind in await member_event_types.load_newest(transaction)},
    )
