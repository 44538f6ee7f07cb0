"""When members' identifiers were linked, the first time and the last, and when the e-mail address last became another
one; nothing of what was linked or changed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.database import Transaction

# The rows are there and locked. Earliest and latest: neither order nor repetition matters.
_SAVE = """
    update member_windows as member
    set first_linked_at = least(member.first_linked_at, linked.first_at),
        last_linked_at = greatest(member.last_linked_at, linked.last_at)
    from (
        select member_id, min(linked_at) as first_at, max(linked_at) as last_at
        from unnest($1::uuid[], $2::timestamptz[]) as told (member_id, linked_at)
        group by member_id
    ) as linked
    where member.member_id = linked.member_id and member.erased_version is null
        and (
            member.first_linked_at is null
            or linked.first_at < member.first_linked_at
            or linked.last_at > member.last_linked_at
        )
"""
_SAVE_CONTACTS = """
    update member_windows as member
    set contact_changed_at = moved.changed_at
    from (
        select member_id, max(changed_at) as changed_at
        from unnest($1::uuid[], $2::timestamptz[]) as told (member_id, changed_at)
        group by member_id
    ) as moved
    where member.member_id = moved.member_id and member.erased_version is null
        and (member.contact_changed_at is null or moved.changed_at > member.contact_changed_at)
"""
_FIND = """
    select merged_into is not null as is_merged,
        case when last_linked_at > first_linked_at then last_linked_at end as identifier_changed_at,
        contact_changed_at
    from member_windows
    where member_id = $1
"""


class Spender(NamedTuple):
    """A member who wants to spend. ``identifier_changed_at``: when one was last linked after the first;
    ``contact_changed_at``: when the e-mail address last became another one."""

    is_merged: bool = False
    identifier_changed_at: datetime | None = None
    contact_changed_at: datetime | None = None


async def save(transaction: Transaction, linked: Sequence[tuple[UUID, datetime]]) -> None:
    """Note when identifiers of members, whose windows are locked, were linked. Of who was erased nothing is noted."""
    members, times = [member_id for member_id, _ in linked], [linked_at for _, linked_at in linked]
    await transaction.raw.execute(_SAVE, members, times)


async def save_contacts(transaction: Transaction, moved: Sequence[tuple[UUID, datetime]]) -> None:
    """Note when e-mail addresses of members, whose windows are locked, became others."""
    members, times = [member_id for member_id, _ in moved], [changed_at for _, changed_at in moved]
    await transaction.raw.execute(_SAVE_CONTACTS, members, times)


async def find_spender(transaction: Transaction, member_id: UUID) -> Spender:
    """What is known of a member; of one of whom nobody has told yet, nothing."""
    row = await transaction.raw.fetchrow(_FIND, member_id)
    return Spender() if row is None else Spender(**dict(row))
