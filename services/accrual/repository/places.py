"""What accrual knows of partners, stores and tills, from their topic: a row only moves to a higher version."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.database import Transaction
from shared.events.coalition import PartnerData, StoreData, TillData
from shared.events.versions import highest

_SAVE_PARTNERS = """
    insert into partners (partner_id, name, state, line_tolerance_minor, receipt_tolerance_minor, version)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::bigint[])
        as new (partner_id, name, state, line_tolerance_minor, receipt_tolerance_minor, version)
    order by partner_id
    on conflict (partner_id) do update
        set name = excluded.name, state = excluded.state, line_tolerance_minor = excluded.line_tolerance_minor,
            receipt_tolerance_minor = excluded.receipt_tolerance_minor, version = excluded.version
        where partners.version < excluded.version
"""

_SAVE_STORES = """
    insert into stores (partner_id, store_id, name, time_zone, version, zone)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])
        as new (partner_id, store_id, name, time_zone, version, zone)
    order by partner_id, store_id
    on conflict (partner_id, store_id) do update
        set name = excluded.name, time_zone = excluded.time_zone, version = excluded.version, zone = excluded.zone
        where stores.version < excluded.version
"""

_SAVE_TILLS = """
    insert into tills (partner_id, store_id, till_id, key_scheme, key_sha256, is_revoked, version, previous_key_sha256,
        previous_key_until)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::bigint[],
            $8::text[], $9::timestamptz[])
        as new (partner_id, store_id, till_id, key_scheme, key_sha256, is_revoked, version, previous_key_sha256,
            previous_key_until)
    order by partner_id, store_id, till_id
    on conflict (partner_id, store_id, till_id) do update
        set key_scheme = excluded.key_scheme, key_sha256 = excluded.key_sha256, is_revoked = excluded.is_revoked,
            version = excluded.version, previous_key_sha256 = excluded.previous_key_sha256,
            previous_key_until = excluded.previous_key_until
        where tills.version < excluded.version
"""

# A till counts only with its store and its partner: the three events may arrive in any order.
_KNOWN_TILLS = """
    select partner_id, store_id, till_id from tills
        join stores using (partner_id, store_id)
        join partners using (partner_id)
        join unnest($1::text[], $2::text[], $3::text[]) as asked (partner_id, store_id, till_id)
            using (partner_id, store_id, till_id)
"""

_TILL_BY_KEY = """
    select partner_id, store_id, till_id from tills
    where (key_sha256 = $1 or (previous_key_sha256 = $1 and previous_key_until > $2)) and not is_revoked
"""

_TILL_SCHEMES = """
    select partner_id, store_id, till_id, key_scheme from tills
        join unnest($1::text[], $2::text[], $3::text[]) as asked (partner_id, store_id, till_id)
            using (partner_id, store_id, till_id)
"""

_STORES = """
    select partner_id, store_id, time_zone, zone from stores
        join unnest($1::text[], $2::text[]) as asked (partner_id, store_id) using (partner_id, store_id)
"""

_TOLERANCES = """
    select partner_id, line_tolerance_minor, receipt_tolerance_minor from partners where partner_id = any($1::text[])
"""


class StoreFacts(NamedTuple):
    """The zone of a store's clocks, and the group of its partner's stores that it belongs to."""

    zone: ZoneInfo | None
    group: str | None


@dataclass(frozen=True, slots=True)
class Till:
    """A till, by the three codes that name it."""

    partner_id: str
    store_id: str
    till_id: str


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a partner's sums may be off, in minor units."""

    line_minor: int = 1
    receipt_minor: int = 5


async def save_partners(transaction: Transaction, partners: Sequence[PartnerData]) -> None:
    """Project partners."""
    rows = list(highest(partners, lambda partner: partner.partner_id))
    await transaction.raw.execute(
        _SAVE_PARTNERS,
        [row.partner_id for row in rows],
        [row.name for row in rows],
        [row.state for row in rows],
        [row.line_tolerance_minor for row in rows],
        [row.receipt_tolerance_minor for row in rows],
        [row.version for row in rows],
    )


async def save_stores(transaction: Transaction, stores: Sequence[StoreData]) -> None:
    """Project stores."""
    rows = list(highest(stores, lambda store: (store.partner_id, store.store_id)))
    await transaction.raw.execute(
        _SAVE_STORES,
        [row.partner_id for row in rows],
        [row.store_id for row in rows],
        [row.name for row in rows],
        [row.time_zone for row in rows],
        [row.version for row in rows],
        [row.zone for row in rows],
    )


async def load_stores(
    transaction: Transaction, stores: Collection[tuple[str, str]]
) -> dict[tuple[str, str], StoreFacts]:
    """Where these stores are; one that was not heard of is absent."""
    listed = list(stores)
    rows = await transaction.raw.fetch(
        _STORES, [partner_id for partner_id, _ in listed], [store_id for _, store_id in listed]
    )
    return {(row["partner_id"], row["store_id"]): StoreFacts(_zone(row["time_zone"]), row["zone"]) for row in rows}


def _zone(name: str) -> ZoneInfo | None:
    """None: this machine's time-zone database does not know it. Rules that ask for it cannot be applied there."""
    try:
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError):
        return None


async def save_tills(transaction: Transaction, tills: Sequence[TillData]) -> None:
    """Project tills."""
    rows = list(highest(tills, lambda till: (till.partner_id, till.store_id, till.till_id)))
    await transaction.raw.execute(
        _SAVE_TILLS,
        [row.partner_id for row in rows],
        [row.store_id for row in rows],
        [row.till_id for row in rows],
        [row.key_scheme for row in rows],
        [row.key_sha256 for row in rows],
        [row.is_revoked for row in rows],
        [row.version for row in rows],
        [row.previous_key_sha256 for row in rows],
        [row.previous_key_until for row in rows],
    )


async def find_tills(transaction: Transaction, tills: Collection[Till]) -> set[Till]:
    """Those of the tills that are known, with their store and partner."""
    asked = list(tills)
    rows = await transaction.raw.fetch(
        _KNOWN_TILLS,
        [till.partner_id for till in asked],
        [till.store_id for till in asked],
        [till.till_id for till in asked],
    )
    return {Till(row["partner_id"], row["store_id"], row["till_id"]) for row in rows}


async def find_till_by_key(transaction: Transaction, key_sha256: str) -> Till | None:
    """The till that authenticates with the key of this SHA-256 (hex), or did with one that is good for a while yet."""
    row = await transaction.raw.fetchrow(_TILL_BY_KEY, key_sha256, transaction.now)
    return Till(row["partner_id"], row["store_id"], row["till_id"]) if row is not None else None


async def find_schemes(transaction: Transaction, tills: Collection[Till]) -> dict[Till, str]:
    """The key schemes that tills declared; an unknown till is absent."""
    asked = list(tills)
    rows = await transaction.raw.fetch(
        _TILL_SCHEMES,
        [till.partner_id for till in asked],
        [till.store_id for till in asked],
        [till.till_id for till in asked],
    )
    return {Till(row["partner_id"], row["store_id"], row["till_id"]): row["key_scheme"] for row in rows}


async def find_tolerances(transaction: Transaction, partner_ids: Collection[str]) -> dict[str, Tolerance]:
    """Partners' tolerances; a partner that is not known yet is absent."""
    rows = await transaction.raw.fetch(_TOLERANCES, list(partner_ids))
    return {row["partner_id"]: Tolerance(row["line_tolerance_minor"], row["receipt_tolerance_minor"]) for row in rows}
