"""Vouchers: a row each, for ever, so that each is issued once and closed once."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.redemption.domain.partner_standing import Standing
from services.redemption.domain.rewards.entitlement import Asker
from services.redemption.domain.rewards.voucher import Voucher, VoucherState
from services.redemption.domain.standing import HIDDEN
from shared.database import Transaction
from shared.database.errors import StartAgainError

COLUMNS = """voucher_id, reward_id, reward_version, member_id, partner_id, point_type, points, state, issued_at,
    expires_at, client_id, closed_at, closed_by, reason_code, delivered_at, channel, receipt_key, money_minor,
    paid_minor, returned_at, undone_by, undone_hash"""

# Of two transactions with the same voucher one waits here for the other, before either has locked anything else.
CLAIM = """
    insert into redemption_vouchers (
        voucher_id, reward_id, reward_version, member_id, partner_id, point_type, points, state, issued_at, expires_at,
        client_id, code_hash, sealed_code, money_minor
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    on conflict (voucher_id) do nothing
    returning voucher_id
"""
FIND = f"select {COLUMNS} from redemption_vouchers where voucher_id = $1"
LOCK = f"{FIND} for no key update"
# Of the hashes under which a code may be kept one is there.
FIND_BY_CODE = f"select {COLUMNS} from redemption_vouchers where code_hash = any($1::text[]) limit 1"
LOCK_BY_CODE = f"{FIND_BY_CODE} for no key update"
FIND_SEALED_CODE = "select sealed_code from redemption_vouchers where voucher_id = $1"

# Of whoever was merged away the survivor is asked.
IS_FORGOTTEN = """
    select exists (
        select from redemption_vouchers as voucher
            join redemption_members as own using (member_id)
            join redemption_members as member on member.member_id = coalesce(own.merged_into, own.member_id)
        where voucher.voucher_id = $1 and member.status = 'erased'
    )
"""

LOCK_USED_FOR = f"""
    select {COLUMNS}
    from redemption_vouchers
    where receipt_key = any($1::bytea[]) and state = 'used'
    order by voucher_id
    for no key update
"""

# The row is this transaction's own.
GIVE_CODE = "update redemption_vouchers set code_hash = $2, sealed_code = $3 where voucher_id = $1"

# Rows that somebody else is busy with are left to the next page: whoever holds them decides their fate.
LOCK_DUE = f"""
    select {COLUMNS}
    from redemption_vouchers
    where closed_at is null and expires_at <= $1
    order by expires_at
    limit $2
    for no key update skip locked
"""
# The rows are locked.
SAVE = """
    update redemption_vouchers as voucher
    set state = changed.state, closed_at = changed.closed_at, closed_by = changed.closed_by,
        reason_code = changed.reason_code, delivered_at = changed.delivered_at, channel = changed.channel,
        receipt_key = changed.receipt_key, paid_minor = changed.paid_minor, expires_at = changed.expires_at,
        returned_at = changed.returned_at, undone_by = changed.undone_by, undone_hash = changed.undone_hash
    from unnest(
            $1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::timestamptz[], $7::text[],
            $8::bytea[], $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::bytea[], $13::text[]
        ) as changed (
            voucher_id, state, closed_at, closed_by, reason_code, delivered_at, channel, receipt_key, paid_minor,
            expires_at, returned_at, undone_by, undone_hash
        )
    where voucher.voucher_id = changed.voucher_id
"""

LOCK_ASKER = "select status, tier, merged_into from redemption_members where member_id = $1 for no key update"

# What those have taken for whom the member answers counts, but not what this transaction has claimed, nor what was
# given back.
COUNT_TAKEN = """
    select count(*)
    from redemption_vouchers
    where member_id in (
            select $1::uuid
            union all
            select member_id from redemption_members where merged_into = $1
        )
        and reward_id = $2 and voucher_id <> $3 and state not in ('cancelled', 'expired', 'returned')
        and ($4::timestamptz is null or issued_at > $4)
"""

# Of the standings that count by now the newest; where none does yet, the first there was.
FIND_STANDING = """
    select kind, state, coalesce($3 > last_spend_on, true) as is_last_day_over
    from redemption_partner_standings
    where partner_id = $1
    order by case when in_force_from <= $2 then version else -version end desc
    limit 1
"""

# Those of whoever the member answers for are the member's.
LOAD_OF_MEMBER = f"""
    select {COLUMNS}
    from redemption_vouchers
    where member_id in (
            select coalesce((select merged_into from redemption_members where member_id = $1), $1)
            union all
            select member_id from redemption_members
            where merged_into = coalesce((select merged_into from redemption_members where member_id = $1), $1)
        )
        and ($2::timestamptz is null or (issued_at, voucher_id) < ($2, $3))
    order by issued_at desc, voucher_id desc
    limit $4
"""


async def claim(transaction: Transaction, voucher: Voucher, code_hash: str, sealed_code: str) -> bool:
    """Write the voucher, to be kept if the transaction commits; False where its id is there, of whatever voucher."""
    claimed = await transaction.raw.fetchval(
        CLAIM,
        voucher.voucher_id,
        voucher.reward_id,
        voucher.reward_version,
        voucher.member_id,
        voucher.partner_id,
        voucher.point_type,
        voucher.points,
        voucher.state,
        voucher.issued_at,
        voucher.expires_at,
        voucher.client_id,
        code_hash,
        sealed_code,
        voucher.money_minor,
    )
    return claimed is not None


async def give_code(transaction: Transaction, voucher_id: UUID, code_hash: str, sealed_code: str) -> None:
    """Let a voucher that was claimed just now have the code of the piece that it took."""
    await transaction.raw.execute(GIVE_CODE, voucher_id, code_hash, sealed_code)


async def find(transaction: Transaction, voucher_id: UUID) -> Voucher | None:
    """A voucher as last committed."""
    return _voucher(await transaction.raw.fetchrow(FIND, voucher_id))


async def lock(transaction: Transaction, voucher_id: UUID) -> Voucher | None:
    """The same, its row locked to the commit."""
    return _voucher(await transaction.raw.fetchrow(LOCK, voucher_id))


async def find_by_code(transaction: Transaction, code_hashes: Sequence[str]) -> Voucher | None:
    """The voucher whose code this is, as last committed."""
    return _voucher(await transaction.raw.fetchrow(FIND_BY_CODE, list(code_hashes)))


async def lock_by_code(transaction: Transaction, code_hashes: Sequence[str]) -> Voucher | None:
    """The same, its row locked to the commit."""
    return _voucher(await transaction.raw.fetchrow(LOCK_BY_CODE, list(code_hashes)))


async def find_sealed_code(transaction: Transaction, voucher_id: UUID) -> str | None:
    """The code of a voucher, sealed; None of one that lapsed before anybody saw it."""
    sealed_code: str | None = await transaction.raw.fetchval(FIND_SEALED_CODE, voucher_id)
    return sealed_code


async def lock_used_for(transaction: Transaction, receipt_keys: Collection[bytes]) -> list[Voucher]:
    """Vouchers that these receipts, which are locked, have used and still do, locked in the order of their ids."""
    return [voucher_of(row) for row in await transaction.raw.fetch(LOCK_USED_FOR, list(receipt_keys))]


async def is_forgotten(transaction: Transaction, voucher_id: UUID) -> bool:
    """Whether whoever had this voucher was erased: its code is shown to nobody any more."""
    return bool(await transaction.raw.fetchval(IS_FORGOTTEN, voucher_id))


async def lock_due(transaction: Transaction, due_at: datetime, rows_max: int) -> list[Voucher]:
    """Open vouchers whose time is over, oldest first, that nobody else holds."""
    return [voucher_of(row) for row in await transaction.raw.fetch(LOCK_DUE, due_at, rows_max)]


async def save(transaction: Transaction, changed: Sequence[Voucher]) -> None:
    """Write what became of vouchers that are locked."""
    await transaction.raw.execute(
        SAVE,
        [voucher.voucher_id for voucher in changed],
        [voucher.state for voucher in changed],
        [voucher.closed_at for voucher in changed],
        [voucher.closed_by for voucher in changed],
        [voucher.reason_code for voucher in changed],
        [voucher.delivered_at for voucher in changed],
        [voucher.channel for voucher in changed],
        [voucher.receipt_key for voucher in changed],
        [voucher.paid_minor for voucher in changed],
        [voucher.expires_at for voucher in changed],
        [voucher.returned_at for voucher in changed],
        [voucher.undone_by for voucher in changed],
        [voucher.undone_hash for voucher in changed],
    )


async def lock_asker(transaction: Transaction, member_id: UUID) -> Asker | None:
    """Lock the member's row to the commit; None for one who is not known, or erased.

    Raises:
        StartAgainError: the member was merged away while we waited for the row.
    """
    row = await transaction.raw.fetchrow(LOCK_ASKER, member_id)
    if row is None or row["status"] in HIDDEN:
        return None
    if row["merged_into"] is not None:
        raise StartAgainError("the member was merged away meanwhile")
    return Asker(row["status"], row["tier"])


async def count_taken(transaction: Transaction, voucher: Voucher, since: datetime | None) -> int:
    """How many vouchers of the same reward its member, whose row is locked, has had since, beside this one."""
    taken: int = await transaction.raw.fetchval(
        COUNT_TAKEN, voucher.member_id, voucher.reward_id, voucher.voucher_id, since
    )
    return taken


async def find_standing(transaction: Transaction, partner_id: str, today: date) -> Standing | None:
    """Where a partner stands now; None for one of whom the coalition has not told."""
    row = await transaction.raw.fetchrow(FIND_STANDING, partner_id, transaction.now, today)
    return None if row is None else Standing(*row.values())


async def load_of_member(
    transaction: Transaction, member_id: UUID, before: tuple[datetime, UUID] | None, rows_max: int
) -> list[Voucher]:
    """A member's vouchers, newest first, and those of whoever the member answers for."""
    issued_at, voucher_id = before or (None, None)
    rows = await transaction.raw.fetch(LOAD_OF_MEMBER, member_id, issued_at, voucher_id, rows_max)
    return [voucher_of(row) for row in rows]


def _voucher(row: asyncpg.Record | None) -> Voucher | None:
    return None if row is None else voucher_of(row)


def voucher_of(row: asyncpg.Record) -> Voucher:
    """A voucher from its columns."""
    return Voucher(**dict(row) | {"state": VoucherState(row["state"])})
