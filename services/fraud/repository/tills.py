"""The tills that coalition registered, as far as rules need them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.database import Transaction

_SAVE = """
    insert into store_tills (partner_id, store_id, till_id, is_revoked, version)
    select partner_id, store_id, till_id, is_revoked, version
    from unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::bigint[])
        as changed (partner_id, store_id, till_id, is_revoked, version)
    order by partner_id, store_id, till_id
    on conflict (partner_id, store_id, till_id) do update
        set is_revoked = excluded.is_revoked, version = excluded.version
        where store_tills.version < excluded.version
"""
_COUNT = """
    select partner_id, store_id, count(*) filter (where not is_revoked) as tills
    from store_tills
    where (partner_id, store_id) in (select * from unnest($1::text[], $2::text[]))
    group by partner_id, store_id
"""


class Store(NamedTuple):
    """A store is known by its partner's code and its own."""

    partner_id: str
    store_id: str


class Till(NamedTuple):
    """A till and whether its key was revoked. The higher version is the newer."""

    partner_id: str
    store_id: str
    till_id: str
    is_revoked: bool
    version: int


async def save(transaction: Transaction, tills: Sequence[Till]) -> None:
    """Take in distinct tills; an older version than the known one changes nothing."""
    if tills:
        columns = [list(column) for column in zip(*tills, strict=True)]
        await transaction.raw.execute(_SAVE, *columns)


async def count_in_force(transaction: Transaction, stores: Iterable[Store]) -> dict[Store, int]:
    """How many tills these stores have that are not revoked. Stores without any till on record are absent."""
    wanted = sorted(set(stores))
    rows = await transaction.raw.fetch(
        _COUNT, [store.partner_id for store in wanted], [store.store_id for store in wanted]
    )
    return {Store(row["partner_id"], row["store_id"]): row["tills"] for row in rows}
