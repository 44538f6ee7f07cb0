"""Households as members tells of them: a row only moves to a higher version."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg
import orjson

from services.redemption.domain.pooling import Household, Place
from shared.database import Transaction
from shared.events.members import HouseholdData
from shared.events.versions import highest

SAVE_HOUSEHOLDS = """
    insert into redemption_households (household_id, places, version)
    select *
    from unnest($1::uuid[], $2::jsonb[], $3::bigint[])
    order by 1
    on conflict (household_id) do update set places = excluded.places, version = excluded.version
        where redemption_households.version < excluded.version
"""

_WITH_PLACES = """
    select household.household_id, household.version, place.member_id, place.contributes, place.may_spend,
        place.shows_purchases, coalesce(member.status, 'unknown') as status,
        coalesce(member.household_id = household.household_id and member.merged_into is null, false) as is_home
    from redemption_households as household
        cross join lateral rows from (
            jsonb_to_recordset(household.places)
                as (member_id uuid, contributes boolean, may_spend boolean, shows_purchases boolean)
        ) with ordinality as place (member_id, contributes, may_spend, shows_purchases, position)
        left join redemption_members as member on member.member_id = place.member_id
"""

FIND = f"{_WITH_PLACES} where household.household_id = $1 order by place.position"

# By what a till knows of the member, like the statement that locks the spender.
FIND_SPENDER = """
    select member.member_id, member.household_id
    from redemption_members as named
        join redemption_members as member on member.member_id = coalesce(named.merged_into, named.member_id)
    where named.member_id = coalesce(
        $1::uuid,
        (select identifier.member_id from redemption_identifiers as identifier
            where identifier.identifier_hash = any($2::text[])
            order by array_position($2::text[], identifier.identifier_hash)
            limit 1)
    )
"""


class AtHome(NamedTuple):
    """A member, and the household that the member's own event names."""

    member_id: UUID
    household_id: UUID | None


async def save_households(transaction: Transaction, households: Sequence[HouseholdData]) -> None:
    """Project households; of several versions in one call the highest stays."""
    rows = highest(households, lambda household: household.household_id)
    await transaction.raw.execute(
        SAVE_HOUSEHOLDS,
        [row.household_id for row in rows],
        [orjson.dumps([place.model_dump(mode="json") for place in row.members]).decode() for row in rows],
        [row.version for row in rows],
    )


async def find_household(transaction: Transaction, household_id: UUID) -> Household | None:
    """A household, or None for one that was not heard of or has nobody."""
    return _household_of(await transaction.raw.fetch(FIND, household_id))


async def find_spender(
    transaction: Transaction, member_id: UUID | None, identifier_hashes: Sequence[str] = ()
) -> AtHome | None:
    """The member who is named by id or by what may stand for an identifier; the survivor for one who was merged away.

    Locks nothing.
    """
    row = await transaction.raw.fetchrow(FIND_SPENDER, member_id, identifier_hashes)
    return None if row is None else AtHome(row["member_id"], row["household_id"])


def _household_of(rows: Sequence[asyncpg.Record]) -> Household | None:
    if not rows:
        return None
    places = [
        Place(
            member_id=row["member_id"],
            contributes=row["contributes"],
            may_spend=row["may_spend"],
            shows_purchases=row["shows_purchases"],
            status=row["status"],
            is_home=row["is_home"],
        )
        for row in rows
    ]
    return Household(rows[0]["household_id"], rows[0]["version"], tuple(places))
