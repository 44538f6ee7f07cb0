"""Partners' categories in the programme's tree, and excluded articles, from coalition's topic.

A version is written once, in any order. Mappings and exclusions of a partner are numbered together.
"""

from collections.abc import Mapping, Sequence

from services.accrual.domain.category_mapping import ExclusionVersion, MappingVersion
from shared.database import Transaction
from shared.events.goods import ArticleChanged, ProductMapped

_SAVE = """
    insert into category_mappings (partner_id, version, partner_category, path, in_force_from)
    select partner_id, version, partner_category, string_to_array(path, '/'), in_force_from
    from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[])
        as new (partner_id, version, partner_category, path, in_force_from)
    order by partner_id, version
    on conflict (partner_id, version) do nothing
"""

_SAVE_EXCLUSIONS = """
    insert into article_exclusions (partner_id, version, sku, is_excluded, in_force_from)
    select partner_id, version, sku, is_excluded, in_force_from
    from unnest($1::text[], $2::bigint[], $3::text[], $4::boolean[], $5::timestamptz[])
        as new (partner_id, version, sku, is_excluded, in_force_from)
    order by partner_id, version
    on conflict (partner_id, version) do nothing
"""

_LOAD_NEWER = """
    with known as (
        select partner_id, version from unnest($1::text[], $2::bigint[]) as known (partner_id, version)
    )
    select mapping.partner_id, mapping.version, mapping.in_force_from, mapping.partner_category, mapping.path,
        null as sku, null as is_excluded
    from known
        join category_mappings as mapping
            on mapping.partner_id = known.partner_id and mapping.version > known.version
    union all
    select said.partner_id, said.version, said.in_force_from, null, null, said.sku, said.is_excluded
    from known
        join article_exclusions as said on said.partner_id = known.partner_id and said.version > known.version
"""


async def save(transaction: Transaction, changes: Sequence[ProductMapped]) -> None:
    """Keep what these events say. Ids of categories hold no slash, so that a path is one text on its way."""
    rows = [change.data for change in changes]
    await transaction.raw.execute(
        _SAVE,
        [row.partner_id for row in rows],
        [row.version for row in rows],
        [row.partner_category for row in rows],
        ["/".join(row.path) for row in rows],
        [row.in_force_from for row in rows],
    )


async def save_exclusions(transaction: Transaction, changes: Sequence[ArticleChanged]) -> None:
    """Keep what these events say of articles."""
    rows = [change.data for change in changes]
    await transaction.raw.execute(
        _SAVE_EXCLUSIONS,
        [row.partner_id for row in rows],
        [row.version for row in rows],
        [row.sku for row in rows],
        [row.is_excluded for row in rows],
        [row.in_force_from for row in rows],
    )


async def load_newer(
    transaction: Transaction, known: Mapping[str, int]
) -> dict[str, list[MappingVersion | ExclusionVersion]]:
    """Versions of these partners above the ones that are known."""
    newer: dict[str, list[MappingVersion | ExclusionVersion]] = {}
    for row in await transaction.raw.fetch(_LOAD_NEWER, list(known), list(known.values())):
        newer.setdefault(row["partner_id"], []).append(
            MappingVersion(row["version"], row["partner_category"], tuple(row["path"]), row["in_force_from"])
            if row["sku"] is None
            else ExclusionVersion(row["version"], row["sku"], row["is_excluded"], row["in_force_from"])
        )
    return newer
