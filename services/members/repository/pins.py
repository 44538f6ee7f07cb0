"""Statements on members' PINs. Whoever locks one has its member locked before, or locks no member."""

from datetime import datetime
from uuid import UUID

from services.members.domain.pins import Pin, PinChange, PinChangeKind
from shared.database import Transaction

_COLUMNS = "member_id, sealed, set_at, counts_from, wrong_tries, locks, locked_until"

FIND = f"""
    select {_COLUMNS} from member_pins
    where member_id = (select coalesce(merged_into, member_id) from members where member_id = $1)
"""
LOCK = f"{FIND} for no key update"
# A person cannot be without one; nobody is behind a card that joined first, or a member who was erased.
HAS_ADDRESS = """
    select exists (
        select from persons
        where member_id = (select coalesce(merged_into, member_id) from members where member_id = $1)
    )
"""
SAVE_TRY = "update member_pins set wrong_tries = $2, locks = $3, locked_until = $4 where member_id = $1"
# One that was set meanwhile is another one, of which nothing was proven.
FORGIVE = """
    update member_pins set wrong_tries = 0, locks = 0, locked_until = null where member_id = $1 and sealed = $2
"""
INSERT = """
    insert into member_pins (member_id, sealed, set_at, counts_from) values ($1, $2, $3, $4)
    on conflict (member_id) do nothing
    returning member_id
"""
REPLACE = """
    update member_pins set sealed = $3, set_at = $4, wrong_tries = 0, locks = 0, locked_until = null
    where member_id = $1 and sealed = $2
    returning member_id
"""
DELETE = "delete from member_pins where member_id = $1 returning member_id"
# Whoever changes a PIN holds its row, or sets the first one under the member's lock: nobody else counts meanwhile.
RECORD_CHANGE = """
    insert into pin_changes (member_id, version, change, changed_by, changed_at)
    select $1, coalesce(max(version), 0) + 1, $2, $3, $4 from pin_changes where member_id = $1
    returning version
"""
LOAD_CHANGES = """
    select member_id, version, change, changed_by, changed_at from pin_changes
    where member_id = $1 and ($2::bigint is null or version < $2)
    order by version desc
    limit $3
"""


async def find(transaction: Transaction, member_id: UUID) -> Pin | None:
    """The PIN of whoever answers for this id; None where there is none."""
    row = await transaction.raw.fetchrow(FIND, member_id)
    return None if row is None else Pin(**dict(row))


async def lock(transaction: Transaction, member_id: UUID) -> Pin | None:
    """The same, locked to the commit, so that tries are counted one by one."""
    row = await transaction.raw.fetchrow(LOCK, member_id)
    return None if row is None else Pin(**dict(row))


async def has_address(transaction: Transaction, member_id: UUID) -> bool:
    """Whether there is an e-mail address to which a code could go instead."""
    return bool(await transaction.raw.fetchval(HAS_ADDRESS, member_id))


async def save_try(transaction: Transaction, pin: Pin) -> None:
    """What was counted of a locked PIN."""
    await transaction.raw.execute(SAVE_TRY, pin.member_id, pin.wrong_tries, pin.locks, pin.locked_until)


async def forgive(transaction: Transaction, pin: Pin) -> None:
    """Count nothing against a PIN that somebody knew, if it is still that one."""
    await transaction.raw.execute(FORGIVE, pin.member_id, pin.sealed)


async def insert(transaction: Transaction, pin: Pin) -> bool:
    """Write a locked member's first PIN; False where there is one by now."""
    values = (pin.member_id, pin.sealed, pin.set_at, pin.counts_from)
    return await transaction.raw.fetchval(INSERT, *values) is not None


async def replace_with(transaction: Transaction, known: Pin, pin: Pin) -> bool:
    """Put another one in the place of the one that was proven; False where that is there no more."""
    values = (pin.member_id, known.sealed, pin.sealed, pin.set_at)
    return await transaction.raw.fetchval(REPLACE, *values) is not None


async def delete(transaction: Transaction, member_id: UUID) -> bool:
    """Take a locked member's PIN away; False where there is none."""
    return await transaction.raw.fetchval(DELETE, member_id) is not None


async def record_change(
    transaction: Transaction, member_id: UUID, change: PinChangeKind, changed_by: str, changed_at: datetime
) -> PinChange:
    """Keep what was done to a locked PIN, for ever."""
    version: int = await transaction.raw.fetchval(RECORD_CHANGE, member_id, change, changed_by, changed_at)
    return PinChange(member_id, version, change, changed_by, changed_at)


async def load_changes(
    transaction: Transaction, member_id: UUID, *, before_version: int | None, rows_max: int
) -> list[PinChange]:
    """What happened to a member's PINs, newest first."""
    return [PinChange(**row) for row in await transaction.raw.fetch(LOAD_CHANGES, member_id, before_version, rows_max)]
