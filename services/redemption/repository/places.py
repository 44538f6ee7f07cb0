"""What redemption knows of partners and tills, from the coalition's topic: a row only moves to a higher version."""

from collections.abc import Collection, Sequence

from shared.database import Transaction
from shared.events.coalition import PartnerChanged, TillData
from shared.events.versions import highest
from shared.web import TillIdentity

SAVE_PARTNERS = """
    insert into redemption_partners (partner_id, name, state, version)
    select *
    from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
    order by 1
    on conflict (partner_id) do update
        set name = excluded.name, state = excluded.state, version = excluded.version
        where redemption_partners.version < excluded.version
"""

# A version is written once: what takes effect later stands beside what counts until then.
SAVE_STANDINGS = """
    insert into redemption_partner_standings (partner_id, version, kind, state, in_force_from, last_spend_on)
    select *
    from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::date[])
    order by 1, 2
    on conflict (partner_id, version) do nothing
"""

SAVE_TILLS = """
    insert into redemption_tills (partner_id, store_id, till_id, key_sha256, is_revoked, version, previous_key_sha256,
        previous_key_until)
    select *
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::bigint[], $7::text[],
        $8::timestamptz[])
    order by 1, 2, 3
    on conflict (partner_id, store_id, till_id) do update
        set key_sha256 = excluded.key_sha256, is_revoked = excluded.is_revoked, version = excluded.version,
            previous_key_sha256 = excluded.previous_key_sha256, previous_key_until = excluded.previous_key_until
        where redemption_tills.version < excluded.version
"""

FIND_TILL = """
    select partner_id, store_id, till_id from redemption_tills
    where (key_sha256 = $1 or (previous_key_sha256 = $1 and previous_key_until > $2)) and not is_revoked
"""

FIND_KNOWN_PARTNERS = "select partner_id from redemption_partners where partner_id = any($1::text[])"

LOAD_PARTNER_NAMES = "select partner_id, name from redemption_partners where partner_id = any($1::text[])"


async def save_partners(transaction: Transaction, changes: Sequence[PartnerChanged]) -> None:
    """Project partners, and every standing that they ever had."""
    rows = highest([change.data for change in changes], lambda partner: partner.partner_id)
    await transaction.raw.execute(
        SAVE_PARTNERS,
        [row.partner_id for row in rows],
        [row.name for row in rows],
        [row.state for row in rows],
        [row.version for row in rows],
    )
    await transaction.raw.execute(
        SAVE_STANDINGS,
        [change.data.partner_id for change in changes],
        [change.data.version for change in changes],
        [change.data.kind for change in changes],
        [change.data.state for change in changes],
        [change.data.in_force_from or change.time for change in changes],
        [change.data.last_spend_on for change in changes],
    )


async def save_tills(transaction: Transaction, tills: Sequence[TillData]) -> None:
    """Project tills."""
    rows = highest(tills, lambda till: (till.partner_id, till.store_id, till.till_id))
    await transaction.raw.execute(
        SAVE_TILLS,
        [row.partner_id for row in rows],
        [row.store_id for row in rows],
        [row.till_id for row in rows],
        [row.key_sha256 for row in rows],
        [row.is_revoked for row in rows],
        [row.version for row in rows],
        [row.previous_key_sha256 for row in rows],
        [row.previous_key_until for row in rows],
    )


async def find_till(transaction: Transaction, key_sha256: str) -> TillIdentity | None:
    """The till with this key, or with one that was replaced and is good for a while yet, unless it was revoked."""
    row = await transaction.raw.fetchrow(FIND_TILL, key_sha256, transaction.now)
    return None if row is None else TillIdentity(row["partner_id"], row["store_id"], row["till_id"])


async def load_partner_names(transaction: Transaction, partner_ids: Collection[str]) -> dict[str, str]:
    """Names for people; a partner not heard of yet is absent."""
    rows = await transaction.raw.fetch(LOAD_PARTNER_NAMES, sorted(partner_ids))
    return {row["partner_id"]: row["name"] for row in rows}


async def find_known_partners(transaction: Transaction, partner_ids: Collection[str]) -> set[str]:
    """Those of these partners of whom the coalition has told."""
    rows = await transaction.raw.fetch(FIND_KNOWN_PARTNERS, sorted(partner_ids))
    return {row["partner_id"] for row in rows}
