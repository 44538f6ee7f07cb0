"""Statements that read the registry in the order of its keys, to tell it again. The partner's row is locked."""

from services.coalition.domain.articles import ArticleExclusion, PriceFloor
from services.coalition.domain.categories import CategoryMapping
from services.coalition.domain.registry import Partner, Store, Till
from services.coalition.repository.partners import partner_of
from services.coalition.repository.stores import store_of, till_of
from shared.database import Transaction

LOCK_NEXT = """
    select partner_id from partners where partner_id > $1 order by partner_id limit 1 for no key update
"""

LOAD_VERSIONS = """
    select partner_id, version, name, kind, state, in_force_from, reason_code, last_earn_on, last_spend_on,
        returns_until, line_tolerance_minor, receipt_tolerance_minor
    from partner_versions where partner_id = $1 and version > $2 order by version limit $3
"""

LOAD_STORES = """
    select partner_id, store_id, name, time_zone, version, gln, latitude_microdegrees, longitude_microdegrees, zone,
        opening_hours
    from stores where partner_id = $1 and store_id > $2 order by store_id limit $3
"""

LOAD_TILLS = """
    select partner_id, store_id, till_id, key_scheme, key_sha256, is_revoked, version, previous_key_sha256,
        previous_key_until
    from tills where partner_id = $1 and (store_id, till_id) > ($2, $3) order by store_id, till_id limit $4
"""

# All versions of both, which are numbered together: whoever judges receipts needs them without a hole.
LOAD_SAID = """
    select mapping.version, mapping.in_force_from, mapping.partner_category, mapping.category_id,
        coalesce(category.path, '{}') as path, null as sku, null as is_excluded
    from category_mappings as mapping
        left join categories as category on category.category_id = mapping.category_id
    where mapping.partner_id = $1 and mapping.version > $2
    union all
    select version, in_force_from, null, null, '{}', sku, is_excluded
    from article_exclusions where partner_id = $1 and version > $2
    order by version
    limit $3
"""

LOAD_FLOORS = """
    select partner_id, sku, floor_version as version, nullif(price_floor_minor, 0) as floor_minor
    from articles where partner_id = $1 and sku > $2 and floor_version > 0
    order by sku limit $3
"""


async def lock_next_partner(transaction: Transaction, after: str) -> str | None:
    """The partner that follows this id, locked to the commit; None: nobody does."""
    found: str | None = await transaction.raw.fetchval(LOCK_NEXT, after)
    return found


async def load_versions(transaction: Transaction, partner_id: str, after: int, rows_max: int) -> list[Partner]:
    """What the partner was and is, oldest first."""
    return [partner_of(row) for row in await transaction.raw.fetch(LOAD_VERSIONS, partner_id, after, rows_max)]


async def load_stores(transaction: Transaction, partner_id: str, after: str, rows_max: int) -> list[Store]:
    """Its stores."""
    return [store_of(row) for row in await transaction.raw.fetch(LOAD_STORES, partner_id, after, rows_max)]


async def load_tills(transaction: Transaction, partner_id: str, after: tuple[str, str], rows_max: int) -> list[Till]:
    """Its tills, by store and till."""
    return [till_of(row) for row in await transaction.raw.fetch(LOAD_TILLS, partner_id, *after, rows_max)]


async def load_said(
    transaction: Transaction, partner_id: str, after: int, rows_max: int
) -> list[CategoryMapping | ArticleExclusion]:
    """Its mappings and exclusions, by version."""
    return [
        CategoryMapping(
            partner_id,
            row["version"],
            row["partner_category"],
            row["category_id"],
            tuple(row["path"]),
            row["in_force_from"],
        )
        if row["sku"] is None
        else ArticleExclusion(partner_id, row["version"], row["sku"], row["is_excluded"], row["in_force_from"])
        for row in await transaction.raw.fetch(LOAD_SAID, partner_id, after, rows_max)
    ]


async def load_floors(transaction: Transaction, partner_id: str, after: str, rows_max: int) -> list[PriceFloor]:
    """What its articles do not cost less than, by number; also of those that had a floor once."""
    rows = await transaction.raw.fetch(LOAD_FLOORS, partner_id, after, rows_max)
    return [PriceFloor(**dict(row)) for row in rows]
