"""A redemption that is taken or let go, locked with whose points it reserves: mostly one statement."""

from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.redemption import Redemption
from services.redemption.repository import projections, shares
from services.redemption.repository.redemptions import REDEMPTION_COLUMNS, redemptions_of
from shared.database import Transaction
from shared.database.later import Write

# Each source names the one before it, so that rows are locked in their order. Where others lend, their rows are locked
# with the member's, in key order, by a statement of their own. Whose points another partner's are is nobody's affair.
_REDEMPTION = f"""
        cross join lateral (
            select {REDEMPTION_COLUMNS}
            from redemptions
            where redemption_id = $1{{and_more}}
            limit 1
            for no key update
        ) as redemption
        left join lateral (
            select member_id
            from redemption_members
            where redemption_members.member_id = redemption.member_id and redemption.pooled_points = 0
                and coalesce($2::text, redemption.partner_id) = redemption.partner_id
            limit 1
            for no key update
        ) as owner on true
"""

LOCK = f"""
    select redemption.*, owner.member_id as owner_id
    from (values (1)) as one
        {_REDEMPTION.format(and_more="")}
"""

# The update writes nothing: it locks the row that is there.
LOCK_WITH_RECEIPT = f"""
    with met as (
        insert into redemption_receipts (receipt_key, refused_hashes) values ($3, '{{}}')
        on conflict (receipt_key) do update set refused_hashes = excluded.refused_hashes where false
        returning receipt_key
    )
    select redemption.*, owner.member_id as owner_id, meeting.is_new
    from (select count(*) > 0 as is_new from met) as meeting
        {_REDEMPTION.format(and_more=" and partner_id = $2 and meeting.is_new is not null")}
"""

# The row is there, and nothing else of it changes: an upsert would check its constraints twice.
SETTLE = """
    update redemptions
    set state = $2, open_points = $3, captured_points = $4, closed_at = $5
    where redemption_id = $1
"""


@dataclass(frozen=True, slots=True)
class Met:
    """A redemption, and whether its receipt ``is_new``: then nobody has told anything of the receipt yet, no capture,
    void or return, since whoever does has met it. Else what they told is read by statements of their own: it may have
    been committed while we waited for the row."""

    redemption: Redemption
    is_new: bool


async def lock(transaction: Transaction, redemption_id: UUID, seen_by: str | None) -> Redemption | None:
    """Lock the redemption to the commit, whoever's it is; then, unless it is ``seen_by`` another partner, whose points
    it reserves."""
    row = await transaction.raw.fetchrow(LOCK, redemption_id, seen_by)
    if row is None:
        return None
    [redemption] = await redemptions_of(transaction, [row])
    if seen_by in (None, redemption.partner_id):
        await _lock_lenders(transaction, redemption)
    return redemption


async def meet(transaction: Transaction, redemption_id: UUID, partner_id: str, receipt_key: bytes) -> Met | None:
    """Lock the receipt, whose row is made where it is missing, then the partner's redemption, then whose points it
    reserves, to the commit. None where the partner has no such redemption: then nothing may be committed."""
    row = await transaction.raw.fetchrow(LOCK_WITH_RECEIPT, redemption_id, partner_id, receipt_key)
    if row is None:
        return None
    [redemption] = await redemptions_of(transaction, [row])
    await _lock_lenders(transaction, redemption)
    return Met(redemption, row["is_new"])


def settle_later(transaction: Transaction, redemption: Redemption) -> None:
    """Write what was taken or let go of a hold that this transaction has locked, with the transaction's last
    statement."""
    state, closed_at = redemption.state.value, redemption.closed_at
    arguments = (redemption.redemption_id, state, redemption.open_points, redemption.captured_points, closed_at)
    transaction.later.append(Write(SETTLE, arguments))
    shares.save_shares_later(transaction, [redemption])


async def _lock_lenders(transaction: Transaction, redemption: Redemption) -> None:
    if redemption.shares and redemption.member_id is not None:
        owners = [redemption.member_id, *(share.owner_id for share in redemption.shares)]
        await projections.lock_known_members(transaction, owners)
