"""Statements that read everything of a member and of those whom it answers for. Each reads one row more than may be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.members.domain.accesses import Access, AccessEntry
from services.members.domain.attributes import Attribute, StoredEntry
from services.members.domain.data_quality import FieldCheck
from services.members.domain.exports import (
    ROWS_OF_A_KIND_MAX,
    ExportTooLargeError,
    HouseholdPlace,
    IdentifierChange,
    KeptIdentifier,
    PlaceChange,
    Referral,
)
from services.members.domain.pins import PinChange
from services.members.domain.statuses import StatusChange
from services.members.repository.attributes import attribute_of, entry_of
from shared.database import Transaction

# The survivor first; chains are flat.
FAMILY = """
    with present as (select coalesce(merged_into, member_id) as member_id from members where member_id = $1)
    select member_id from (
        select member_id, 0 as place from present
        union all
        select members.member_id, 1 from members join present on members.merged_into = present.member_id
    ) as one
    order by place, member_id
    limit $2
"""
ENROLLED_BY = "select enrolled_by from members where member_id = $1"
# An e-mail address is no identifier: it stands with the person.
IDENTIFIERS = """
    select identifier_id, identifier_type as type, state, max(version) as version, linked_at
    from identifiers
    where member_id = any($1::uuid[]) and identifier_type <> 'email'
    group by identifier_id, identifier_type, state, linked_at
    order by linked_at, identifier_id
    limit $2
"""
PIN_SET_AT = "select set_at from member_pins where member_id = $1"
PIN_CHANGES = """
    select member_id, version, change, changed_by, changed_at
    from pin_changes
    where member_id = any($1::uuid[])
    order by changed_at, member_id, version
    limit $2
"""
IDENTIFIER_CHANGES = """
    select identifier_id, version, identifier_type as type, action, from_state, to_state, reason_code, author,
        changed_at
    from identifier_changes
    where member_id = any($1::uuid[])
    order by changed_at, identifier_id, version
    limit $2
"""
STATUS_CHANGES = """
    select member_id, version, from_status, to_status, reason_code, changed_by, changed_at
    from status_changes
    where member_id = any($1::uuid[])
    order by changed_at, member_id, version
    limit $2
"""
ATTRIBUTE_ENTRIES = """
    select entry_id, member_id, code, plain, sealed, source, stated_at, recorded_at, recorded_by, value_type,
        is_personal, choices, text_length_max
    from attribute_entries join attributes using (code)
    where member_id = any($1::uuid[])
    order by code, entry_id
    limit $2
"""
FIELD_CHECKS = """
    select check_id, member_id, field, outcome, source, checked_at, recorded_at, recorded_by
    from field_checks
    where member_id = any($1::uuid[])
    order by check_id
    limit $2
"""
# The one that goes on being given out first: the survivor's own, where it has one.
REFERRAL_CODES = """
    select code from referral_codes
    where member_id = any($1::uuid[])
    order by member_id <> ($1::uuid[])[1], member_id
    limit $2
"""
REFERRALS = """
    select false as is_referrer, referred_at from referrals where member_id = any($1::uuid[])
    union all
    select true, referred_at from referrals where referrer_id = any($1::uuid[])
    order by referred_at
    limit $2
"""
HOUSEHOLDS = """
    select household_id, contributes, may_spend, shows_purchases, joined_at, null::timestamptz as expires_at,
        leaving_policy, leaving_notice_days, contributed_until
    from household_members where member_id = any($1::uuid[])
    union all
    select household_id, contributes, may_spend, false, null, expires_at, null, null, null
    from household_invitations where member_id = any($1::uuid[])
    limit $2
"""
HOUSEHOLD_CHANGES = """
    select household_id, action, contributes, may_spend, shows_purchases, author, changed_at, leaving_policy,
        leaving_notice_days, heir_id is not null as has_left_points
    from household_changes
    where member_id = any($1::uuid[])
    order by changed_at, change_id
    limit $2
"""
ACCESSES = """
    select entry_id, member_id, accessed_by, purpose, sight, accessed_at
    from personal_accesses
    where member_id = any($1::uuid[])
    order by entry_id
    limit $2
"""


async def load_family(transaction: Transaction, member_id: UUID) -> list[UUID]:
    """Who answers for this id, then all whom that one answers for; empty where there is no such member."""
    rows = await transaction.raw.fetch(FAMILY, member_id, ROWS_OF_A_KIND_MAX)
    return [row["member_id"] for row in rows]


async def load_enrolled_by(transaction: Transaction, member_id: UUID) -> str:
    """Which client enrolled a member that is there."""
    enrolled_by: str = await transaction.raw.fetchval(ENROLLED_BY, member_id)
    return enrolled_by


async def find_pin_set_at(transaction: Transaction, member_id: UUID) -> datetime | None:
    """Since when a member has its PIN; what it is, nobody can tell. None where there is none."""
    set_at: datetime | None = await transaction.raw.fetchval(PIN_SET_AT, member_id)
    return set_at


async def load_pin_changes(transaction: Transaction, family: Sequence[UUID]) -> list[PinChange]:
    """What happened to PINs, the oldest first."""
    return [PinChange(**row) for row in await _all(transaction, PIN_CHANGES, family)]


async def load_identifiers(transaction: Transaction, family: Sequence[UUID]) -> list[KeptIdentifier]:
    """What tills can read, in the order of linking."""
    return [KeptIdentifier(**row) for row in await _all(transaction, IDENTIFIERS, family)]


async def load_identifier_changes(transaction: Transaction, family: Sequence[UUID]) -> list[IdentifierChange]:
    """What happened to identifiers, the oldest first."""
    return [IdentifierChange(**row) for row in await _all(transaction, IDENTIFIER_CHANGES, family)]


async def load_status_changes(transaction: Transaction, family: Sequence[UUID]) -> list[StatusChange]:
    """Every status, the oldest first."""
    return [StatusChange(**row) for row in await _all(transaction, STATUS_CHANGES, family)]


async def load_attribute_entries(
    transaction: Transaction, family: Sequence[UUID]
) -> list[tuple[Attribute, StoredEntry]]:
    """All that was ever said under attributes, by code, the oldest first."""
    rows = await _all(transaction, ATTRIBUTE_ENTRIES, family)
    return [(attribute_of(row), entry_of(row)) for row in rows]


async def load_field_checks(transaction: Transaction, family: Sequence[UUID]) -> list[FieldCheck]:
    """What was found out about fields, the oldest first."""
    return [FieldCheck(**row) for row in await _all(transaction, FIELD_CHECKS, family)]


async def load_referral_codes(transaction: Transaction, family: Sequence[UUID]) -> list[str]:
    """The codes by which friends join: of the first of the family first."""
    return [row["code"] for row in await _all(transaction, REFERRAL_CODES, family)]


async def load_referrals(transaction: Transaction, family: Sequence[UUID]) -> list[Referral]:
    """That somebody brought the member, and that the member brought somebody."""
    return [Referral(**row) for row in await _all(transaction, REFERRALS, family)]


async def load_households(transaction: Transaction, family: Sequence[UUID]) -> list[HouseholdPlace]:
    """Where the member belongs, and where it is invited to."""
    return [HouseholdPlace(**row) for row in await _all(transaction, HOUSEHOLDS, family)]


async def load_household_changes(transaction: Transaction, family: Sequence[UUID]) -> list[PlaceChange]:
    """What happened to the member in households, the oldest first."""
    return [PlaceChange(**row) for row in await _all(transaction, HOUSEHOLD_CHANGES, family)]


async def load_accesses(transaction: Transaction, family: Sequence[UUID]) -> list[AccessEntry]:
    """Every look at the person, the oldest first."""
    return [
        AccessEntry(
            row["entry_id"],
            Access(row["member_id"], row["accessed_by"], row["purpose"], row["sight"]),
            row["accessed_at"],
        )
        for row in await _all(transaction, ACCESSES, family)
    ]


def whole(rows: Sequence[Any]) -> Sequence[Any]:
    """Rows that were read with a limit of one more than may be.

    Raises:
        ExportTooLargeError: that one is there.
    """
    if len(rows) > ROWS_OF_A_KIND_MAX:
        raise ExportTooLargeError("members")
    return rows


async def _all(transaction: Transaction, statement: str, family: Sequence[UUID]) -> Sequence[asyncpg.Record]:
    return whole(await transaction.raw.fetch(statement, family, ROWS_OF_A_KIND_MAX + 1))
