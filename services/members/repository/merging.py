"""Statements that make two members one. Identifiers are locked first, then both members."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.members.domain.attributes import Attribute, StoredEntry
from services.members.domain.merging import MergeRequest
from services.members.domain.registry import Identifier, Member
from services.members.domain.sealed import SealedPerson
from services.members.repository.attributes import attribute_of, entry_of
from services.members.repository.claiming import identifier_of
from services.members.repository.registry import EMAIL_TYPE
from shared.database import Transaction

# What linking holds as well (see registry.NEXT_VERSION): an erasure lets what is under way end before it looks.
HOLD_ERASURES = "lock table identifier_versions in row exclusive mode"

LOCK_IDENTIFIERS = """
    select identifier_hash from identifiers where member_id = $1 order by identifier_hash for no key update
"""

HASHES_OF = "select identifier_hash from identifiers where member_id = $1"

# E-mail addresses are moved like what tills read: whoever has one is enrolled, and must not be enrolled again.
MOVE_IDENTIFIERS = """
    update identifiers set member_id = $2, version = version + 1 where member_id = $1
    returning identifier_hash, identifier_type, member_id, state, version, linked_at, identifier_id
"""

RECORD_MOVES = """
    insert into identifier_changes (
        identifier_id, version, member_id, identifier_type, action, from_state, to_state, reason_code, author,
        changed_at
    )
    select distinct on (identifier_id)  -- one that has two hashes has moved once
        identifier_id, version, member_id, identifier_type, 'merge', state, state, $3, $4, $5
    from identifiers
    where identifier_hash = any($1::text[]) and identifier_type <> $2
    order by identifier_id, version desc
"""

# Also of those for whom the merged one answered: chains are flat.
NAME_SURVIVOR = "update members set merged_into = $2 where member_id = $1 or merged_into = $1"

SAVE_SURVIVOR = "update members set version = $2, birth_month = $3, birth_day = $4 where member_id = $1"

SAVE_PERSON = """
    with person as (
        insert into persons (member_id, sealed) values ($1, $4)
        on conflict (member_id) do update set sealed = excluded.sealed
    )
    insert into member_keys (member_id, master_key_id, wrapped_key) values ($1, $2, $3)
    on conflict (member_id) do nothing  -- the key that the person was opened with stays
"""

# What is known of a field goes with it: when it was stated and checked, of one that was filled from the other person.
KNOWN_OF_FIELDS = """
    update persons as own
    set phone_at = coalesce(own.phone_at, other.phone_at),
        phone_verified_at = case when own.phone_at is null then other.phone_verified_at else own.phone_verified_at end,
        phone_invalid_at = case when own.phone_at is null then other.phone_invalid_at else own.phone_invalid_at end,
        birth_date_at = coalesce(own.birth_date_at, other.birth_date_at),
        birth_date_verified_at = case when own.birth_date_at is null
            then other.birth_date_verified_at else own.birth_date_verified_at end,
        birth_date_invalid_at = case when own.birth_date_at is null
            then other.birth_date_invalid_at else own.birth_date_invalid_at end,
        address_at = coalesce(own.address_at, other.address_at),
        address_verified_at = case when own.address_at is null
            then other.address_verified_at else own.address_verified_at end,
        address_invalid_at = case when own.address_at is null
            then other.address_invalid_at else own.address_invalid_at end
    from persons as other
    where own.member_id = $2 and other.member_id = $1
"""

# The person goes on in the survivor; what is not needed twice is not kept twice.
FORGET_PERSON = """
    with person as (
        delete from persons where member_id = $1
    )
    delete from member_keys where member_id = $1
"""

# Who goes on is asked for the PIN that it knows, or for none.
FORGET_PIN = "delete from member_pins where member_id = $1"

FORGET_CONSENTS = "delete from consents where member_id = $1"
MOVE_STATEMENTS = "update consent_statements set member_id = $2 where member_id = $1"
MOVE_ACCEPTANCES = "update terms_acceptances set member_id = $2 where member_id = $1"

# Of two consents that wait for the same confirmation the one that was given last goes on waiting.
SUPERSEDE_OLDER = """
    with waiting as (
        select statement_id, row_number() over (
            partition by purpose, channel, partner_id
            order by stated_at desc, text_version desc, language desc, statement_id
        ) as place
        from consent_confirmations
            join consent_statements using (statement_id)
        where member_id = $1 and state = 'awaited'
    )
    update consent_confirmations as confirmation
    set state = 'superseded', settled_by = $2, settled_at = $3
    from waiting
    where confirmation.statement_id = waiting.statement_id and waiting.place > 1
"""


LOAD_SEALED_VALUES = """
    select identifier_hash, sealed_value from identifiers where member_id = $1 and sealed_value is not null
"""
SAVE_SEALED_VALUES = """
    update identifiers set sealed_value = resealed.sealed_value
    from unnest($1::text[], $2::bytea[]) as resealed (identifier_hash, sealed_value)
    where identifiers.identifier_hash = resealed.identifier_hash
"""

LOAD_SEALED_ATTRIBUTES = """
    select entry_id, member_id, code, plain, sealed, source, stated_at, recorded_at, recorded_by,
        value_type, is_personal, choices, text_length_max
    from attribute_entries
        join attributes using (code)
    where member_id = $1 and sealed is not null
"""
SAVE_SEALED_ATTRIBUTES = """
    update attribute_entries as entry set sealed = resealed.sealed
    from unnest($1::uuid[], $2::bytea[]) as resealed (entry_id, sealed)
    where entry.entry_id = resealed.entry_id
"""

# Of two entries under one attribute the one that was stated last holds; at one time the survivor's own.
LET_NEWER_HOLD = """
    insert into member_attributes (member_id, code, entry_id, version)
    select $2, brought.code, brought.entry_id, brought.version + 1
    from member_attributes as brought
        join attribute_entries as entry on entry.entry_id = brought.entry_id
    where brought.member_id = $1
    on conflict (member_id, code) do update
        set entry_id = excluded.entry_id, version = greatest(member_attributes.version + 1, excluded.version)
        where (select stated_at from attribute_entries where entry_id = excluded.entry_id)
            > (select stated_at from attribute_entries where entry_id = member_attributes.entry_id)
"""
FORGET_ATTRIBUTES = "delete from member_attributes where member_id = $1"
MOVE_ENTRIES = "update attribute_entries set member_id = $2 where member_id = $1"


async def lock_identifiers(transaction: Transaction, member_id: UUID) -> frozenset[str]:
    """All that leads to a member, e-mail addresses included, locked in the order of hashes; no erasure meanwhile."""
    await transaction.raw.execute(HOLD_ERASURES)
    return frozenset(row["identifier_hash"] for row in await transaction.raw.fetch(LOCK_IDENTIFIERS, member_id))


async def load_hashes(transaction: Transaction, member_id: UUID) -> frozenset[str]:
    """What leads to a member whose row is locked: nothing is linked to it meanwhile."""
    return frozenset(row["identifier_hash"] for row in await transaction.raw.fetch(HASHES_OF, member_id))


async def move_identifiers(transaction: Transaction, request: MergeRequest) -> list[Identifier]:
    """Give locked identifiers to the survivor, and keep it in their history; those that tills can read come back."""
    rows = await transaction.raw.fetch(MOVE_IDENTIFIERS, request.merged_id, request.survivor_id)
    await transaction.raw.execute(
        RECORD_MOVES,
        [row["identifier_hash"] for row in rows],
        EMAIL_TYPE,
        request.reason_code,
        request.author,
        transaction.now,
    )
    moved = [identifier_of(row) for row in rows if row["identifier_type"] != EMAIL_TYPE]
    return sorted(moved, key=lambda identifier: (identifier.linked_at, identifier.hash))


async def name_survivor(transaction: Transaction, merged_id: UUID, survivor: Member) -> None:
    """Let the survivor answer for a member who has the status ``merged`` by now, and stand as it does from now on."""
    await transaction.raw.execute(NAME_SURVIVOR, merged_id, survivor.member_id)
    await transaction.raw.execute(
        SAVE_SURVIVOR, survivor.member_id, survivor.version, survivor.birth_month, survivor.birth_day
    )


async def save_person(transaction: Transaction, member_id: UUID, person: SealedPerson) -> None:
    """Write the person of a member who is locked; its key where it has none yet."""
    arguments = (person.key.master_key_id, person.key.wrapped, person.sealed)
    await transaction.raw.execute(SAVE_PERSON, member_id, *arguments)


async def forget_person(transaction: Transaction, request: MergeRequest) -> None:
    """Delete the person of the one that goes, its PIN, and the key, which makes copies unreadable too.

    What was known of fields that the survivor lacked is the survivor's now.
    """
    await transaction.raw.execute(KNOWN_OF_FIELDS, request.merged_id, request.survivor_id)
    await transaction.raw.execute(FORGET_PIN, request.merged_id)
    await transaction.raw.execute(FORGET_PERSON, request.merged_id)


async def move_statements(transaction: Transaction, request: MergeRequest) -> None:
    """Give what was said and accepted to the survivor. What follows from it is for the caller to save."""
    await transaction.raw.execute(FORGET_CONSENTS, request.merged_id)
    await transaction.raw.execute(MOVE_STATEMENTS, request.merged_id, request.survivor_id)
    await transaction.raw.execute(MOVE_ACCEPTANCES, request.merged_id, request.survivor_id)
    await transaction.raw.execute(SUPERSEDE_OLDER, request.survivor_id, request.author, transaction.now)


async def load_sealed_values(transaction: Transaction, member_id: UUID) -> dict[str, bytes]:
    """What is kept of the values of a member's identifiers, by hash."""
    rows = await transaction.raw.fetch(LOAD_SEALED_VALUES, member_id)
    return {row["identifier_hash"]: row["sealed_value"] for row in rows}


async def save_sealed_values(transaction: Transaction, values: Mapping[str, bytes]) -> None:
    """The same values under another key, of identifiers that are locked."""
    await transaction.raw.execute(SAVE_SEALED_VALUES, list(values), list(values.values()))


async def load_sealed_attributes(transaction: Transaction, member_id: UUID) -> list[tuple[Attribute, StoredEntry]]:
    """All that was ever said of a member under personal attributes."""
    rows = await transaction.raw.fetch(LOAD_SEALED_ATTRIBUTES, member_id)
    return [(attribute_of(row), entry_of(row)) for row in rows]


async def save_sealed_attributes(transaction: Transaction, entries: Sequence[StoredEntry]) -> None:
    """The same entries under another key."""
    await transaction.raw.execute(
        SAVE_SEALED_ATTRIBUTES, [entry.entry_id for entry in entries], [entry.sealed for entry in entries]
    )


async def move_attributes(transaction: Transaction, request: MergeRequest) -> None:
    """Give what was said under attributes to the survivor, and let the newest hold."""
    await transaction.raw.execute(LET_NEWER_HOLD, request.merged_id, request.survivor_id)
    await transaction.raw.execute(FORGET_ATTRIBUTES, request.merged_id)
    await transaction.raw.execute(MOVE_ENTRIES, request.merged_id, request.survivor_id)
