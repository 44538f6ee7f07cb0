"""Every statement on attributes. Whoever writes an entry holds the member's row."""

from collections.abc import Sequence
from typing import NamedTuple, cast
from uuid import UUID

import asyncpg

from services.members.domain.attributes import Attribute, StoredEntry
from shared.database import Transaction

_ATTRIBUTE = "code, value_type, is_personal, choices, text_length_max"
INSERT_ATTRIBUTE = f"""
    insert into attributes ({_ATTRIBUTE}, declared_by, declared_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (code) do nothing
    returning code
"""
FIND_ATTRIBUTE = f"select {_ATTRIBUTE} from attributes where code = $1"
LOAD_ATTRIBUTES = f"""
    select {_ATTRIBUTE} from attributes where $1::text is null or code > $1 order by code limit $2
"""

_ENTRY = "entry_id, member_id, code, plain, sealed, source, stated_at, recorded_at, recorded_by"
INSERT_ENTRY = f"insert into attribute_entries ({_ENTRY}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
LET_HOLD = """
    insert into member_attributes (member_id, code, entry_id)
    values ($1, $2, $3)
    on conflict (member_id, code) do update
        set entry_id = excluded.entry_id, version = member_attributes.version + 1
    returning version
"""
# What may be told, as it holds; a value that was taken away is told as well.
LOAD_TOLD = """
    select member_id, code, version, plain
    from member_attributes
        join attribute_entries using (entry_id, member_id, code)
        join attributes using (code)
    where member_id = any($1::uuid[]) and not is_personal and value_type <> 'text'
    order by member_id, code
"""
FIND_ENTRY = f"""
    select {_ENTRY}
    from member_attributes
        join attribute_entries using (entry_id, member_id, code)
    where member_id = $1 and code = $2
"""
LOAD_ENTRIES = f"""
    select {_ENTRY}, value_type, is_personal, choices, text_length_max
    from member_attributes
        join attribute_entries using (entry_id, member_id, code)
        join attributes using (code)
    where member_id = $1 and (plain is not null or sealed is not null)
    order by code
    limit $2
"""
# Ids rise with time, so the newest recorded comes first.
LOAD_HISTORY = f"""
    select {_ENTRY}
    from attribute_entries
    where member_id = $1 and code = $2 and ($3::uuid is null or entry_id < $3)
    order by entry_id desc
    limit $4
"""


class ToldValue(NamedTuple):
    """What a member has under an attribute that is told, and its version; None: nothing any more."""

    member_id: UUID
    code: str
    version: int
    says: str | None


async def insert_attribute(transaction: Transaction, attribute: Attribute, author: str) -> bool:
    """Whether the code was free: then the attribute is declared."""
    row = await transaction.raw.fetchrow(
        INSERT_ATTRIBUTE,
        attribute.code,
        attribute.type,
        attribute.is_personal,
        list(attribute.choices),
        attribute.text_length_max,
        author,
        transaction.now,
    )
    return row is not None


async def find_attribute(transaction: Transaction, code: str) -> Attribute | None:
    """The attribute with this code."""
    row = await transaction.raw.fetchrow(FIND_ATTRIBUTE, code)
    return None if row is None else attribute_of(row)


async def load_attributes(transaction: Transaction, *, after: str | None, rows_max: int) -> list[Attribute]:
    """Attributes in the order of their codes."""
    return [attribute_of(row) for row in await transaction.raw.fetch(LOAD_ATTRIBUTES, after, rows_max)]


async def insert_entry(transaction: Transaction, entry: StoredEntry, *, holds: bool) -> int | None:
    """Keep an entry; where it ``holds``, it is what the member has from now on, and the version of that comes back."""
    await transaction.raw.execute(
        INSERT_ENTRY,
        entry.entry_id,
        entry.member_id,
        entry.code,
        entry.plain,
        entry.sealed,
        entry.source,
        entry.stated_at,
        entry.recorded_at,
        entry.recorded_by,
    )
    if not holds:
        return None
    return cast("int", await transaction.raw.fetchval(LET_HOLD, entry.member_id, entry.code, entry.entry_id))


async def load_told(transaction: Transaction, member_ids: Sequence[UUID]) -> list[ToldValue]:
    """What others may hear of these members' attributes, as it holds."""
    return [ToldValue(*row.values()) for row in await transaction.raw.fetch(LOAD_TOLD, list(member_ids))]


async def find_entry(transaction: Transaction, member_id: UUID, code: str) -> StoredEntry | None:
    """What holds for a member under an attribute; None where nothing was ever said."""
    row = await transaction.raw.fetchrow(FIND_ENTRY, member_id, code)
    return None if row is None else entry_of(row)


async def load_entries(transaction: Transaction, member_id: UUID, rows_max: int) -> list[tuple[Attribute, StoredEntry]]:
    """All that a member has, by code."""
    rows = await transaction.raw.fetch(LOAD_ENTRIES, member_id, rows_max)
    return [(attribute_of(row), entry_of(row)) for row in rows]


async def load_history(
    transaction: Transaction, member_id: UUID, code: str, *, before: UUID | None, rows_max: int
) -> list[StoredEntry]:
    """All that was said of a member under an attribute, the newest recorded first."""
    return [entry_of(row) for row in await transaction.raw.fetch(LOAD_HISTORY, member_id, code, before, rows_max)]


def attribute_of(row: asyncpg.Record) -> Attribute:
    """From a row with the columns of ``attributes``."""
    return Attribute(
        code=row["code"],
        type=row["value_type"],
        is_personal=row["is_personal"],
        choices=tuple(row["choices"]),
        text_length_max=row["text_length_max"],
    )


def entry_of(row: asyncpg.Record) -> StoredEntry:
    """From a row with the columns of ``attribute_entries``."""
    return StoredEntry(
        entry_id=row["entry_id"],
        member_id=row["member_id"],
        code=row["code"],
        plain=row["plain"],
        sealed=row["sealed"],
        source=row["source"],
        stated_at=row["stated_at"],
        recorded_at=row["recorded_at"],
        recorded_by=row["recorded_by"],
    )
