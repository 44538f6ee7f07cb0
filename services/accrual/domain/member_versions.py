"""What rules may ask of a member beside its points, version by version: what was in force at a receipt's time. Pure.

A version is in force from its own time until the next one's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

# Before any receipt.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
S = TypeVar("S")


class MemberState(NamedTuple):
    """What a member was: the birthday without its year, and the household."""

    birth_month: int | None = None
    birth_day: int | None = None
    household_id: UUID | None = None


class MemberVersion(NamedTuple, Generic[S]):
    """A state, since when it is in force, and the last version that told it."""

    member_id: UUID
    version: int
    since: datetime
    state: S


def news_of(
    known: MemberVersion[S] | None, told: Sequence[MemberVersion[S]], first_since: datetime | None = ALWAYS
) -> list[MemberVersion[S]]:
    """The rows to be written, by ``since``, for a member of whom ``known`` is the newest row.

    What is told first counts from ``first_since`` (None: from its own time). A row that begins when another one does
    takes its place; one that tells nothing new raises that one's version. What is not newer than what is known changes
    nothing, whatever is replayed. Time never runs backwards from version to version: two changes may begin in one order
    and be made in the other.
    """
    rows: dict[datetime, MemberVersion[S]] = {}
    newest = known
    for one in sorted(told, key=lambda each: each.version):
        if newest is None:
            newest = one if first_since is None else one._replace(since=first_since)
        elif one.version <= newest.version:
            continue
        elif one.state == newest.state:
            newest = newest._replace(version=one.version)
        else:
            newest = one._replace(since=max(one.since, newest.since))
        rows[newest.since] = newest
    return list(rows.values())
