"""Statements on exposure. Whoever changes a partner's sums or payments locks its exposure first.

Order of locks: entries by key, then exposures by partner.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.coalition.domain.exposure import EXHAUSTED_TOLD_AGAIN, PUBLISHED_APART, Change, Exposure, PointSums
from shared.database import Transaction

REVIEW_PARTNERS_MAX = 200

_FIND_ENTRIES = "select entry_key, contract_number from exposure_entries where entry_key = any($1::bytea[])"

_ENTER = """
    insert into exposure_entries (entry_key, contract_number, counted_at)
    select entry_key, contract_number, $1
    from unnest($2::bytea[], $3::integer[]) as incoming (entry_key, contract_number)
    order by entry_key  -- two batches that enter in different orders would deadlock
    on conflict (entry_key) do nothing
    returning entry_key
"""

_MEET = """
    insert into exposures (partner_id, version, standing, alert_percent, is_due)
    select partner_id, 0, 'open', $2, false
    from unnest($1::text[]) as met (partner_id)
    order by partner_id collate "C"
    on conflict (partner_id) do nothing
"""

_LOCK = """
    select partner_id, version, standing, alert_percent, published_at, reviewed_at, is_due
    from exposures where partner_id = any($1::text[]) order by partner_id for no key update
"""

_SUMS = """partner_id, contract_number, point_type, issued_points, returned_points, redeemed_points, spent_points,
    refunded_points, restored_points"""

# In any order: the exposures of these partners are locked.
_ADD = f"""
    insert into exposure_sums ({_SUMS})
    select * from unnest(
        $1::text[], $2::integer[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
        $9::bigint[]
    )
    on conflict (partner_id, contract_number, point_type) do update set
        issued_points = exposure_sums.issued_points + excluded.issued_points,
        returned_points = exposure_sums.returned_points + excluded.returned_points,
        redeemed_points = exposure_sums.redeemed_points + excluded.redeemed_points,
        spent_points = exposure_sums.spent_points + excluded.spent_points,
        refunded_points = exposure_sums.refunded_points + excluded.refunded_points,
        restored_points = exposure_sums.restored_points + excluded.restored_points
"""

_LOAD_SUMS = f"""
    select {_SUMS}
    from exposure_sums where partner_id = any($1::text[]) order by partner_id, contract_number, point_type
"""

_SAVE = """
    update exposures set version = new.version, standing = new.standing, alert_percent = new.alert_percent,
        published_at = new.published_at, reviewed_at = new.reviewed_at, is_due = new.is_due
    from unnest(
        $1::text[], $2::bigint[], $3::text[], $4::integer[], $5::timestamptz[], $6::timestamptz[], $7::boolean[]
    ) as new (partner_id, version, standing, alert_percent, published_at, reviewed_at, is_due)
    where exposures.partner_id = new.partner_id
"""

# Something was counted and not told yet, or is to be told again, or a contract has begun or ended since the last look.
_FIND_DUE = """
    select partner_id from exposures where is_due and (published_at is null or published_at <= $2)
    union
    select partner_id from exposures where standing = 'exhausted' and published_at <= $4
    union
    select contracts.partner_id from contracts left join exposures using (partner_id)
    where contracts.state = 'approved' and (
        contracts.effective_from <= $1 and coalesce(contracts.effective_from > exposures.reviewed_at, true)
        or contracts.effective_until <= $1 and coalesce(contracts.effective_until > exposures.reviewed_at, true)
    )
    order by partner_id
    limit $3
"""


async def find_entries(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, int]:
    """Under which contract these effects were counted; one that was not is absent."""
    if not keys:
        return {}
    rows = await transaction.raw.fetch(_FIND_ENTRIES, list(keys))
    return {row["entry_key"]: row["contract_number"] for row in rows}


async def enter(transaction: Transaction, entries: Mapping[bytes, int]) -> set[bytes]:
    """Enter effects with the contract that each is counted under; those that are new come back."""
    rows = await transaction.raw.fetch(_ENTER, transaction.now, list(entries), list(entries.values()))
    return {row["entry_key"] for row in rows}


async def lock_exposures(transaction: Transaction, partner_ids: Collection[str]) -> list[Exposure]:
    """Lock the exposures of partners in key order to the commit, made where they are missing."""
    wanted = sorted(set(partner_ids))
    await transaction.raw.execute(_MEET, wanted, Exposure("").alert_percent)
    return [Exposure(*row.values()) for row in await transaction.raw.fetch(_LOCK, wanted)]


async def find_exposure(transaction: Transaction, partner_id: str) -> Exposure:
    """The exposure as last told, without a lock; one that was never told of has version 0."""
    rows = await transaction.raw.fetch(_LOCK.removesuffix("for no key update\n"), [partner_id])
    return Exposure(*rows[0].values()) if rows else Exposure(partner_id)


async def add(transaction: Transaction, changes: Sequence[Change]) -> None:
    """Add points to sums; one change a partner, contract and point type. The exposures are locked."""
    await transaction.raw.execute(
        _ADD,
        [change.partner_id for change in changes],
        [change.sums.contract_number for change in changes],
        [change.sums.point_type for change in changes],
        [change.sums.issued_points for change in changes],
        [change.sums.returned_points for change in changes],
        [change.sums.redeemed_points for change in changes],
        [change.sums.spent_points for change in changes],
        [change.sums.refunded_points for change in changes],
        [change.sums.restored_points for change in changes],
    )


async def load_sums(transaction: Transaction, partner_ids: Collection[str]) -> dict[str, list[PointSums]]:
    """All sums of these partners; one of whom nothing was counted is absent."""
    found: dict[str, list[PointSums]] = {}
    for row in await transaction.raw.fetch(_LOAD_SUMS, sorted(partner_ids)):
        partner_id, *sums = row.values()
        found.setdefault(partner_id, []).append(PointSums(*sums))
    return found


async def save_exposures(transaction: Transaction, exposures: Sequence[Exposure]) -> None:
    """Write exposures that are locked."""
    await transaction.raw.execute(
        _SAVE,
        [each.partner_id for each in exposures],
        [each.version for each in exposures],
        [each.standing for each in exposures],
        [each.alert_percent for each in exposures],
        [each.published_at for each in exposures],
        [each.reviewed_at for each in exposures],
        [each.is_due for each in exposures],
    )


async def find_due(transaction: Transaction, now: datetime) -> list[str]:
    """Partners of whom something is to be told, or whose contract began or ended; ``REVIEW_PARTNERS_MAX`` at most."""
    rows = await transaction.raw.fetch(
        _FIND_DUE, now, now - PUBLISHED_APART, REVIEW_PARTNERS_MAX, now - EXHAUSTED_TOLD_AGAIN
    )
    return [row["partner_id"] for row in rows]
