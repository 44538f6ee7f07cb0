"""Who belongs to a segment, and who has joined a campaign: from when until when. Pure.

Both are groups of members that rules name. What has passed of a membership never changes: a change begins now or later,
so that every receipt is judged by what was in force at its time, whenever it comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.accrual.domain.rules.needs import GroupName


@dataclass(frozen=True, slots=True)
class Membership:
    """One stay in a group, from ``from_at`` until just before ``until_at``; None: until it is ended.

    One whose ends are the same was taken back before it began.
    """

    membership_id: UUID
    member_id: UUID
    group: GroupName
    from_at: datetime
    until_at: datetime | None
    changed_by: str

    def is_over(self, now: datetime) -> bool:
        """Whether nothing of it is left."""
        return self.until_at is not None and self.until_at <= max(now, self.from_at)


class MembershipTimesError(Exception):
    """A membership would begin in the past, or end before it begins."""


class NoSuchGroupError(Exception):
    """No such segment is declared, or no such campaign published."""


class SegmentExistsError(Exception):
    """A segment with this code is declared already."""


def joined(present: Sequence[Membership], asked: Membership, now: datetime) -> list[Membership]:
    """What is to be written so that the member belongs to the group from ``asked.from_at`` until ``asked.until_at``.

    ``present`` are the member's stays in the group that are not over. One that has begun goes on and ends as asked;
    whatever else was planned gives way. Nothing: it stands so already.

    Raises:
        MembershipTimesError: it would begin before now, or end before it begins.
    """
    if asked.from_at < now:
        raise MembershipTimesError("from_at lies in the past: leave it out to begin now")
    if asked.until_at is not None and asked.until_at <= asked.from_at:
        raise MembershipTimesError("until_at must lie after from_at: leave it out to belong until further notice")
    kept = next((one for one in present if one.from_at <= now and _reaches(one, asked.from_at)), None)
    ended = [one for one in left(present, now, asked.changed_by) if kept is None or not _is_same(one, kept)]
    if kept is None:
        same = next((one for one in present if (one.from_at, one.until_at) == (asked.from_at, asked.until_at)), None)
        if same is not None:
            return [one for one in ended if not _is_same(one, same)]
        return [*ended, asked]
    if kept.until_at == asked.until_at:
        return ended
    return [*ended, replace(kept, until_at=asked.until_at, changed_by=asked.changed_by)]


def left(present: Sequence[Membership], now: datetime, author: str) -> list[Membership]:
    """What is to be written so that the member does not belong to the group from now on."""
    return [replace(one, until_at=max(now, one.from_at), changed_by=author) for one in present if not one.is_over(now)]


def _reaches(one: Membership, moment: datetime) -> bool:
    return one.until_at is None or one.until_at >= moment


def _is_same(one: Membership, other: Membership) -> bool:
    return one.membership_id == other.membership_id
