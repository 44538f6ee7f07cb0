"""The tier that each member holds, and every change of it. Whoever writes holds the member's lock."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.tiers.standing import Change, Standing
from shared.database import Transaction
from shared.events.members import MemberStatus

_CHANGE_COLUMNS = (
    "member_id",
    "version",
    "old_tier",
    "new_tier",
    "reason",
    "effective_at",
    "until",
    "scheme_version",
    "decided_at",
)

_LOAD = """
    select asked.member_id, status, enrolled_at, tier_standings.version, granted_until, tier, since, earned, is_landed,
        grace_until, graded_next_at, graded_at, scheme_version
    from unnest($1::uuid[]) as asked (member_id)
        left join members on members.member_id = asked.member_id
        left join tier_standings on tier_standings.member_id = asked.member_id
"""

_SAVE = """
    insert into tier_standings (
        member_id, version, tier, since, earned, is_landed, grace_until, graded_next_at, graded_at, scheme_version,
        granted_until, next_at
    )
    select * from unnest(
        $1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::boolean[], $7::timestamptz[],
        $8::timestamptz[], $9::timestamptz[], $10::integer[], $11::timestamptz[], $12::timestamptz[]
    ) as new (
        member_id, version, tier, since, earned, is_landed, grace_until, graded_next_at, graded_at, scheme_version,
        granted_until, next_at
    )
    order by member_id
    on conflict (member_id) do update
    set version = excluded.version, tier = excluded.tier, since = excluded.since, earned = excluded.earned,
        is_landed = excluded.is_landed, grace_until = excluded.grace_until, graded_next_at = excluded.graded_next_at,
        graded_at = excluded.graded_at, scheme_version = excluded.scheme_version,
        granted_until = excluded.granted_until, next_at = excluded.next_at
"""

# By time the oldest first; then those whom an earlier version of the scheme graded last.
_FIND_DUE = """
    (select member_id from tier_standings where next_at <= $1 order by next_at, member_id limit $3)
    union
    (select member_id from tier_standings where scheme_version = any($2::integer[]) limit $3)
    limit $3
"""

# What is in force now says it, if it was by then; else the newest change by then; before the first, what it changed.
_HELD_AT = """
    select asked.place, case when since <= asked.at then tier when since is not null then coalesce(
        (
            select new_tier from tier_changes
            where tier_changes.member_id = asked.member_id and effective_at <= asked.at
            order by version desc limit 1
        ),
        (select old_tier from tier_changes where tier_changes.member_id = asked.member_id order by version limit 1)
    ) end as tier, coalesce(next_at <= $4, false) or scheme_version <> $5 as is_due
    from unnest($1::integer[], $2::uuid[], $3::timestamptz[]) as asked (place, member_id, at)
        join tier_standings on tier_standings.member_id = asked.member_id
"""


class Held(NamedTuple):
    """The tier at a moment, as graded last: None where none ever changed. ``is_due``: time has changed it since."""

    tier: str | None = None
    is_due: bool = False


class Kept(NamedTuple):
    """A member's standing with its version; None where nothing was collected yet, version 0 then. ``status`` is None
    where the member was not heard of."""

    standing: Standing | None
    version: int
    status: MemberStatus | None
    enrolled_at: datetime | None
    granted_until: datetime | None


class Row(NamedTuple):
    """A standing to save: ``next_at`` is when time changes something."""

    member_id: UUID
    standing: Standing
    version: int
    granted_until: datetime | None
    next_at: datetime | None


class ChangeRow(NamedTuple):
    """A change of a member's tier, under the member's version after it."""

    member_id: UUID
    version: int
    change: Change
    scheme_version: int


async def load(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, Kept]:
    """What is known of each of these members."""
    return {
        member_id: Kept(
            Standing(*standing) if version is not None else None, version or 0, status, enrolled_at, granted_until
        )
        for member_id, status, enrolled_at, version, granted_until, *standing in await transaction.raw.fetch(
            _LOAD, list(member_ids)
        )
    }


async def save(transaction: Transaction, rows: Sequence[Row]) -> None:
    """Let the standings be these."""
    if not rows:
        return
    standings = [(one.member_id, one.version, *_stored(one.standing), one.granted_until, one.next_at) for one in rows]
    await transaction.raw.execute(_SAVE, *map(list, zip(*standings, strict=True)))


async def save_changes(transaction: Transaction, rows: Sequence[ChangeRow]) -> None:
    """Note changes; a version of a member's is noted once (primary key)."""
    if rows:
        await transaction.raw.copy_records_to_table(
            "tier_changes",
            columns=_CHANGE_COLUMNS,
            records=[
                (
                    row.member_id,
                    row.version,
                    row.change.old_tier,
                    row.change.new_tier,
                    row.change.reason,
                    row.change.at,
                    row.change.until,
                    row.scheme_version,
                    transaction.now,
                )
                for row in rows
            ],
        )


async def find_due(transaction: Transaction, outdated: Collection[int], rows_max: int) -> list[UUID]:
    """Members whom time changes by now, or who were graded last by one of these versions."""
    rows = await transaction.raw.fetch(_FIND_DUE, transaction.now, list(outdated), rows_max)
    return sorted(row["member_id"] for row in rows)


async def load_held_at(
    transaction: Transaction, asked: Sequence[tuple[UUID, datetime]], scheme_version: int
) -> list[Held]:
    """The tier that was in force for each member at each moment, in the given order.

    As complete as the grading is: see ``use_cases.load_tiers``, which grades those first that are due; so is whoever
    was graded last by another version than ``scheme_version``.
    """
    found = [Held()] * len(asked)
    places, member_ids, moments = list(range(len(asked))), [one for one, _ in asked], [at for _, at in asked]
    for place, tier, is_due in await transaction.raw.fetch(
        _HELD_AT, places, member_ids, moments, transaction.now, scheme_version
    ):
        found[place] = Held(tier, is_due)
    return found


def _stored(standing: Standing) -> tuple[object, ...]:
    return (
        standing.tier,
        standing.since,
        standing.earned,
        standing.is_landed,
        standing.grace_until,
        standing.graded_next_at,
        standing.graded_at,
        standing.scheme_version,
    )
