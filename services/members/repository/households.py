"""Statements on households. The household's row is locked first, then its members; what hangs on it follows."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.members.domain.households import Household, HouseholdChange, Invitation, Place, Rights
from services.members.domain.leaving import LeavingTerms
from shared.database import Transaction

INSERT_HOUSEHOLD = "insert into households (household_id, version) values ($1, $2)"

# One statement, so that version and places are of one moment. A dissolved household has one row without a place.
FIND_HOUSEHOLD = """
    select household_id, version, member_id, contributes, may_spend, shows_purchases, since_version, joined_at,
        leaving_policy, leaving_notice_days, contributed_until
    from households
        left join household_members using (household_id)
    where household_id = $1
    order by since_version
"""

LOCK_HOUSEHOLDS = """
    select household_id, version from households
    where household_id = any($1::uuid[])
    order by household_id
    for no key update
"""

# Locked, so that no newer event of these households gets into the outbox before the one that tells them again.
LOCK_PAGE = """
    select household_id, version from households
    where $1::uuid is null or household_id > $1
    order by household_id
    limit $2
    for no key update
"""

LOAD_PLACES = """
    select household_id, member_id, contributes, may_spend, shows_purchases, since_version, joined_at,
        leaving_policy, leaving_notice_days, contributed_until
    from household_members
    where household_id = any($1::uuid[])
    order by household_id, since_version
"""

HOUSEHOLDS_OF = "select household_id from members where member_id = any($1::uuid[]) and household_id is not null"

RAISE_VERSION = "update households set version = $2 where household_id = $1"

SAVE_PLACE = """
    insert into household_members (
        member_id, household_id, contributes, may_spend, shows_purchases, since_version, joined_at, leaving_policy,
        leaving_notice_days, contributed_until
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    on conflict (member_id) do update
        set contributes = excluded.contributes, may_spend = excluded.may_spend,
            shows_purchases = excluded.shows_purchases, contributed_until = excluded.contributed_until
"""

# Who left invites nobody any more.
DELETE_PLACE = """
    with ended as (
        delete from household_invitations where household_id = $1 and invited_by = $2
    )
    delete from household_members where household_id = $1 and member_id = $2
"""

SET_HOUSEHOLD = "update members set household_id = $2, version = $3 where member_id = $1"

# Also what happened under the ids of those who were merged into the member.
COUNT_CHANGES = """
    select count(*) from household_changes
    where member_id in (select $1::uuid union all select member_id from members where merged_into = $1)
        and action in ('found', 'join', 'leave') and changed_at > $2
"""

SAVE_INVITATION = """
    insert into household_invitations (
        household_id, member_id, invited_by, token_sha256, contributes, may_spend, expires_at
    )
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (household_id, member_id) do update
        set invited_by = excluded.invited_by, token_sha256 = excluded.token_sha256,
            contributes = excluded.contributes, may_spend = excluded.may_spend, expires_at = excluded.expires_at
"""

FIND_INVITATION = """
    select household_id, member_id, invited_by, token_sha256, contributes, may_spend, expires_at
    from household_invitations
    where token_sha256 = $1
"""

COUNT_OTHER_INVITATIONS = """
    select count(*) from household_invitations where household_id = $1 and member_id <> $2 and expires_at > $3
"""

DELETE_INVITATION = "delete from household_invitations where household_id = $1 and member_id = $2"

# By members whose rows are locked: whoever invites them waits there.
DELETE_INVITATIONS_OF = "delete from household_invitations where member_id = $1"

INSERT_CHANGE = """
    insert into household_changes (
        change_id, household_id, version, member_id, action, contributes, may_spend, shows_purchases, stated_by,
        author, changed_at, leaving_policy, leaving_notice_days, heir_id
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""

LOAD_CHANGES = """
    select change_id, household_id, version, member_id, action, contributes, may_spend, shows_purchases, stated_by,
        author, changed_at, leaving_policy, leaving_notice_days, heir_id
    from household_changes
    where household_id = $1 and ($2::uuid is null or change_id < $2)
    order by change_id desc
    limit $3
"""


async def insert_household(transaction: Transaction, household: Household) -> None:
    """A new household, without its places."""
    await transaction.raw.execute(INSERT_HOUSEHOLD, household.household_id, household.version)


async def find_household(transaction: Transaction, household_id: UUID) -> Household | None:
    """A household as it stands, or None where there is none."""
    rows = await transaction.raw.fetch(FIND_HOUSEHOLD, household_id)
    if not rows:
        return None
    places = tuple(_place_of(row) for row in rows if row["member_id"] is not None)
    return Household(household_id, rows[0]["version"], places)


async def lock_households(transaction: Transaction, household_ids: Collection[UUID]) -> list[Household]:
    """Households as they stand, locked in the order of ids: nobody joins or leaves before the commit."""
    rows = await transaction.raw.fetch(LOCK_HOUSEHOLDS, list(household_ids))
    return await _with_places(transaction, rows)


async def lock_page(transaction: Transaction, after: UUID | None, rows_max: int) -> list[Household]:
    """The households that follow ``after`` (None: the first), in the order of their ids, locked to the commit."""
    return await _with_places(transaction, await transaction.raw.fetch(LOCK_PAGE, after, rows_max))


async def load_household_ids(transaction: Transaction, member_ids: Collection[UUID]) -> set[UUID]:
    """The households that these members belong to just now; nothing is locked."""
    return {row["household_id"] for row in await transaction.raw.fetch(HOUSEHOLDS_OF, list(member_ids))}


async def save_place(transaction: Transaction, household: Household, place: Place) -> None:
    """Write one place of a locked household and the household's version."""
    await transaction.raw.execute(RAISE_VERSION, household.household_id, household.version)
    rights = place.rights
    await transaction.raw.execute(
        SAVE_PLACE,
        place.member_id,
        household.household_id,
        rights.contributes,
        rights.may_spend,
        rights.shows_purchases,
        place.since_version,
        place.joined_at,
        place.leaving.policy,
        place.leaving.notice_days,
        place.contributed_until,
    )


async def delete_place(transaction: Transaction, household: Household, member_id: UUID) -> None:
    """Take a member out of a locked household, with the invitations that it made, and write the version."""
    await transaction.raw.execute(RAISE_VERSION, household.household_id, household.version)
    await transaction.raw.execute(DELETE_PLACE, household.household_id, member_id)


async def set_household(transaction: Transaction, member_id: UUID, household_id: UUID | None, version: int) -> None:
    """Say of a locked member which household it belongs to, and write its version."""
    await transaction.raw.execute(SET_HOUSEHOLD, member_id, household_id, version)


async def count_changes(transaction: Transaction, member_id: UUID, since: datetime) -> int:
    """How often a locked member founded, joined or left after ``since``."""
    return int(await transaction.raw.fetchval(COUNT_CHANGES, member_id, since))


async def save_invitation(transaction: Transaction, invitation: Invitation) -> None:
    """Keep an invitation to a locked household, in place of an earlier one for the same member."""
    await transaction.raw.execute(
        SAVE_INVITATION,
        invitation.household_id,
        invitation.member_id,
        invitation.invited_by,
        invitation.token_sha256,
        invitation.contributes,
        invitation.may_spend,
        invitation.expires_at,
    )


async def find_invitation(transaction: Transaction, token_sha256: bytes) -> Invitation | None:
    """The invitation with this token. Under the household's lock it stays, unless the member's membership ends."""
    row = await transaction.raw.fetchrow(FIND_INVITATION, token_sha256)
    return None if row is None else Invitation(**dict(row))


async def count_other_invitations(transaction: Transaction, household_id: UUID, member_id: UUID, now: datetime) -> int:
    """How many others than this member have an open invitation to a locked household."""
    return int(await transaction.raw.fetchval(COUNT_OTHER_INVITATIONS, household_id, member_id, now))


async def delete_invitation(transaction: Transaction, invitation: Invitation) -> None:
    """End an invitation to a locked household: a token works once."""
    await transaction.raw.execute(DELETE_INVITATION, invitation.household_id, invitation.member_id)


async def delete_invitations_of(transaction: Transaction, member_id: UUID) -> None:
    """End whatever invites a locked member."""
    await transaction.raw.execute(DELETE_INVITATIONS_OF, member_id)


async def insert_change(transaction: Transaction, change: HouseholdChange) -> None:
    """Add to the history of a locked household."""
    await transaction.raw.execute(
        INSERT_CHANGE,
        change.change_id,
        change.household_id,
        change.version,
        change.member_id,
        change.action,
        change.rights.contributes,
        change.rights.may_spend,
        change.rights.shows_purchases,
        change.stated_by,
        change.author,
        change.changed_at,
        change.leaving.policy,
        change.leaving.notice_days,
        change.heir_id,
    )


async def load_changes(
    transaction: Transaction, household_id: UUID, *, before: UUID | None, rows_max: int
) -> list[HouseholdChange]:
    """A household's history, newest first."""
    rows = await transaction.raw.fetch(LOAD_CHANGES, household_id, before, rows_max)
    return [
        HouseholdChange(
            change_id=row["change_id"],
            household_id=row["household_id"],
            version=row["version"],
            member_id=row["member_id"],
            action=row["action"],
            rights=_rights_of(row),
            stated_by=row["stated_by"],
            author=row["author"],
            changed_at=row["changed_at"],
            leaving=_leaving_of(row),
            heir_id=row["heir_id"],
        )
        for row in rows
    ]


async def _with_places(transaction: Transaction, rows: Sequence[asyncpg.Record]) -> list[Household]:
    places: dict[UUID, list[Place]] = {row["household_id"]: [] for row in rows}
    if places:
        for row in await transaction.raw.fetch(LOAD_PLACES, list(places)):
            places[row["household_id"]].append(_place_of(row))
    return [Household(row["household_id"], row["version"], tuple(places[row["household_id"]])) for row in rows]


def _place_of(row: asyncpg.Record) -> Place:
    return Place(
        row["member_id"],
        _rights_of(row),
        row["since_version"],
        row["joined_at"],
        _leaving_of(row),
        row["contributed_until"],
    )


def _leaving_of(row: asyncpg.Record) -> LeavingTerms:
    return LeavingTerms(row["leaving_policy"], row["leaving_notice_days"])


def _rights_of(row: asyncpg.Record) -> Rights:
    return Rights(row["contributes"], row["may_spend"], row["shows_purchases"])
