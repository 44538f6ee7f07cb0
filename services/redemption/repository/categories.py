"""What partners' categories count as in the programme's tree, from coalition's topic. A version is written once."""

from collections.abc import Sequence
from datetime import datetime

from shared.database import Transaction
from shared.events.goods import ProductMapped

SAVE = """
    insert into redemption_categories (partner_id, partner_category, version, path, in_force_from)
    select partner_id, partner_category, version, string_to_array(path, '/'), in_force_from
    from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[])
        as new (partner_id, partner_category, version, path, in_force_from)
    order by partner_id, partner_category, version
    on conflict (partner_id, partner_category, version) do nothing
"""

# The newest version that was in force then. An empty path: it counts as itself again.
PATH = """
    select path
    from redemption_categories
    where redemption_categories.partner_id = {partner_id}
        and redemption_categories.partner_category = {category}
        and in_force_from <= {moment}
    order by version desc
    limit 1
"""
LOAD_PATHS = f"""
    select asked.number, mapping.path
    from unnest($1::text[], $2::text[], $3::timestamptz[]) with ordinality
            as asked (partner_id, partner_category, moment, number)
        cross join lateral (
            {PATH.format(partner_id="asked.partner_id", category="asked.partner_category", moment="asked.moment")}
        ) as mapping
"""


async def save(transaction: Transaction, changes: Sequence[ProductMapped]) -> None:
    """Keep what these events say, in any order. Ids of categories hold no slash: a path is one text on its way."""
    rows = [change.data for change in changes]
    await transaction.raw.execute(
        SAVE,
        [row.partner_id for row in rows],
        [row.partner_category for row in rows],
        [row.version for row in rows],
        ["/".join(row.path) for row in rows],
        [row.in_force_from for row in rows],
    )


async def load_paths(transaction: Transaction, asked: Sequence[tuple[str, str, datetime]]) -> list[frozenset[str]]:
    """What each of these categories of a partner counted as at a moment, from the root down; unmapped, as itself."""
    paths = [frozenset({category}) for _, category, _ in asked]
    rows = await transaction.raw.fetch(
        LOAD_PATHS,
        [partner_id for partner_id, _, _ in asked],
        [category for _, category, _ in asked],
        [moment for _, _, moment in asked],
    )
    for number, path in rows:
        if path:
            paths[number - 1] = frozenset(path)
    return paths
