"""What accrual knows of members and the coalition, from their topics: a row only moves to a higher version."""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from shared.database import Transaction
from shared.events.coalition import PartnerData, StoreData, TillData
from shared.events.members import ErasureData, IdentifierData, MemberData, MemberStatus, MergeData


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


V = TypeVar("V", bound=_Versioned)

_SAVE_MEMBERS = """
    insert into members (member_id, status, version)
    select member_id, status, version
    from unnest($1::uuid[], $2::text[], $3::bigint[]) as new (member_id, status, version)
    order by member_id
    on conflict (member_id) do update set status = excluded.status, version = excluded.version
        where members.version < excluded.version and members.erased_version is null
"""

_SAVE_ERASED = """
    insert into members (member_id, status, version, erased_version)
    select member_id, 'erased', version, version from unnest($1::uuid[], $2::bigint[]) as erased (member_id, version)
    order by member_id
    on conflict (member_id) do update
        set status = 'erased', version = greatest(members.version, excluded.version),
            erased_version = excluded.erased_version
        where members.erased_version is null
    returning member_id
"""

_FIND_ERASED = "select member_id from members where member_id = any($1::uuid[]) and erased_version is not null"

# The lock waits for an erasure that is under way.
_IS_ERASED = "select erased_version is not null from members where member_id = $1 for share"

_DELETE_IDENTIFIERS = "delete from identifiers where member_id = any($1::uuid[])"

_FIND_PROJECTED = "select identifier_hash from identifiers where identifier_hash = any($1::text[])"

_SAVE_IDENTIFIERS = """
    insert into identifiers (identifier_hash, member_id, state, version)
    select identifier_hash, member_id, state, version
    from unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[]) as new (identifier_hash, member_id, state, version)
    order by identifier_hash
    on conflict (identifier_hash) do update
        set member_id = excluded.member_id, state = excluded.state, version = excluded.version
        where identifiers.version < excluded.version
"""

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
    insert into stores (partner_id, store_id, name, time_zone, version)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
        as new (partner_id, store_id, name, time_zone, version)
    order by partner_id, store_id
    on conflict (partner_id, store_id) do update
        set name = excluded.name, time_zone = excluded.time_zone, version = excluded.version
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

_LOCK_MEMBERS = """
    select member_id, status from members where member_id = any($1::uuid[]) order by member_id for no key update
"""

_MEMBERS_BY_IDENTIFIER = """
    select identifier_hash, member_id from identifiers where identifier_hash = any($1::text[]) and state <> 'blocked'
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

_TOLERANCES = """
    select partner_id, line_tolerance_minor, receipt_tolerance_minor from partners where partner_id = any($1::text[])
"""


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


async def save_members(transaction: Transaction, members: Sequence[MemberData]) -> None:
    """Project members; of several versions in one call the highest stays. One who was erased stays so."""
    rows = list(_highest(members, lambda member: member.member_id))
    await transaction.raw.execute(
        _SAVE_MEMBERS,
        [row.member_id for row in rows],
        [row.status for row in rows],
        [row.version for row in rows],
    )


async def save_merged(transaction: Transaction, merges: Sequence[MergeData]) -> None:
    """Project that members were merged away. Who answers for them the ledger says (``ledger.find_survivors``)."""
    rows = list({merge.merged_member_id: merge for merge in merges}.values())
    await transaction.raw.execute(
        _SAVE_MEMBERS,
        [row.merged_member_id for row in rows],
        ["merged" for _ in rows],
        [row.merged_version for row in rows],
    )


async def save_erased(transaction: Transaction, erasures: Sequence[ErasureData]) -> set[UUID]:
    """Put up the tombstones of erased members; those whose erasure is news come back."""
    rows = list(_highest(erasures, lambda erasure: erasure.member_id))
    saved = await transaction.raw.fetch(_SAVE_ERASED, [row.member_id for row in rows], [row.version for row in rows])
    return {row["member_id"] for row in saved}


async def find_erased(transaction: Transaction, member_ids: Collection[UUID]) -> set[UUID]:
    """Those of the members who were erased."""
    rows = await transaction.raw.fetch(_FIND_ERASED, list(member_ids))
    return {row["member_id"] for row in rows}


async def is_erased(transaction: Transaction, member_id: UUID) -> bool:
    """Whether the member was erased; an erasure that is under way is waited for, and one that comes waits for us."""
    return bool(await transaction.raw.fetchval(_IS_ERASED, member_id))


async def delete_identifiers(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget whatever led to these members."""
    await transaction.raw.execute(_DELETE_IDENTIFIERS, list(member_ids))


async def find_projected(transaction: Transaction, identifier_hashes: Collection[str]) -> set[str]:
    """Those of the identifiers that are somebody's, in whatever state."""
    rows = await transaction.raw.fetch(_FIND_PROJECTED, list(identifier_hashes))
    return {row["identifier_hash"] for row in rows}


async def save_identifiers(transaction: Transaction, identifiers: Sequence[IdentifierData]) -> None:
    """Project identifiers."""
    rows = list(_highest(identifiers, lambda identifier: identifier.identifier_hash))
    await transaction.raw.execute(
        _SAVE_IDENTIFIERS,
        [row.identifier_hash for row in rows],
        [row.member_id for row in rows],
        [row.state for row in rows],
        [row.version for row in rows],
    )


async def save_partners(transaction: Transaction, partners: Sequence[PartnerData]) -> None:
    """Project partners."""
    rows = list(_highest(partners, lambda partner: partner.partner_id))
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
    rows = list(_highest(stores, lambda store: (store.partner_id, store.store_id)))
    await transaction.raw.execute(
        _SAVE_STORES,
        [row.partner_id for row in rows],
        [row.store_id for row in rows],
        [row.name for row in rows],
        [row.time_zone for row in rows],
        [row.version for row in rows],
    )


async def save_tills(transaction: Transaction, tills: Sequence[TillData]) -> None:
    """Project tills."""
    rows = list(_highest(tills, lambda till: (till.partner_id, till.store_id, till.till_id)))
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


async def lock_members(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, MemberStatus]:
    """Lock members in key order to the commit; their statuses. A member not heard of yet is absent."""
    rows = await transaction.raw.fetch(_LOCK_MEMBERS, list(member_ids))
    return {row["member_id"]: row["status"] for row in rows}


async def find_members(transaction: Transaction, identifier_hashes: Collection[str]) -> dict[str, UUID]:
    """Whose these identifiers are; an unknown or blocked one is absent. One that was lost or replaced still earns."""
    rows = await transaction.raw.fetch(_MEMBERS_BY_IDENTIFIER, list(identifier_hashes))
    return {row["identifier_hash"]: row["member_id"] for row in rows}


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


def _highest(items: Iterable[V], key_of: Callable[[V], Hashable]) -> Iterable[V]:
    """One item a key, the one with the highest version: a key twice in one upsert is an error."""
    highest: dict[Hashable, V] = {}
    for item in items:
        known = highest.get(key_of(item))
        if known is None or known.version < item.version:
            highest[key_of(item)] = item
    return highest.values()
