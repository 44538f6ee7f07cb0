"""Put members into a group and take them out: a page of a segment, or one member who joins a campaign or leaves it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from services.accrual.domain.memberships import (
    Membership,
    MembershipTimesError,
    NoSuchGroupError,
    SegmentExistsError,
    joined,
    left,
)
from services.accrual.domain.rules.needs import GroupName
from services.accrual.repository import memberships
from services.accrual.repository.memberships import Segment
from services.accrual.use_cases.lock_owners import lock_owners
from shared.database import Transaction
from shared.ids import new_id

# Nobody who comes back may find what was somebody's who is gone.
_GONE = frozenset({"erased", "closed", "merged"})


class Change(NamedTuple):
    """What is asked for one member: to belong to the group, from now on or within these times, or to leave it now."""

    member_id: UUID
    action: Literal["add", "remove"]
    from_at: datetime | None = None
    until_at: datetime | None = None


class Refusal(NamedTuple):
    """Nothing came of a change: nobody is known under the id (or has left), or its times cannot be."""

    member_id: UUID
    reason: Literal["unknown_member", "times"]


class Changed(NamedTuple):
    """How many of the changes are new, how many stood so already, and of which nothing came."""

    applied: int
    unchanged: int
    refused: list[Refusal]


async def declare_segment(transaction: Transaction, code: str, name: str, author: str) -> Segment:
    """Declare a segment.

    Raises:
        SegmentExistsError: the code is taken.
    """
    segment = Segment(code, name, author, transaction.now)
    if not await memberships.insert_segment(transaction, segment):
        raise SegmentExistsError("a segment with this code is declared already: put members into it")
    return segment


class Asking(NamedTuple):
    """Who asks: a client, and the partner that it belongs to; None: the programme's own."""

    author: str
    partner_id: str | None = None


async def change_memberships(
    transaction: Transaction, group: GroupName, changes: Sequence[Change], asking: Asking
) -> Changed:
    """Make the changes, in their order; one that cannot be harms no other. Members stay locked to the commit.

    A member who was merged away is the survivor. What has passed is never changed, so that made again, or in parts, the
    changes end the same.

    Raises:
        NoSuchGroupError: no such segment or campaign, or none that is the partner's affair.
        StartAgainError: a member was merged away meanwhile.
    """
    if not await memberships.is_known(transaction, group, asking.partner_id):
        what = "segment is declared" if group.kind == "segment" else "campaign is published"
        raise NoSuchGroupError(f"no such {what}")
    owners = await lock_owners(transaction, {change.member_id for change in changes})
    present = await memberships.load_not_over(transaction, {one.owner_id for one in owners.values()}, group)
    applied, refused, written = 0, list[Refusal](), dict[UUID, Membership]()
    for change in changes:
        owner = owners[change.member_id]
        if owner.status is None or owner.status in _GONE:
            refused.append(Refusal(change.member_id, "unknown_member"))
            continue
        stays = present.get(owner.owner_id, [])
        try:
            news = _news(transaction.now, stays, owner.owner_id, group, change, asking.author)
        except MembershipTimesError:
            refused.append(Refusal(change.member_id, "times"))
            continue
        applied += bool(news)
        written |= {one.membership_id: one for one in news}
        after = {one.membership_id: one for one in (*stays, *news)}
        present[owner.owner_id] = [one for one in after.values() if not one.is_over(transaction.now)]
    if written:
        await memberships.save(transaction, list(written.values()))
    return Changed(applied, len(changes) - applied - len(refused), refused)


async def join_campaign(
    transaction: Transaction,
    campaign: str,
    member_id: UUID,
    from_at: datetime | None,
    until_at: datetime | None,
    asking: Asking,
) -> Membership | None:
    """Let a member join a campaign; the stay comes back, None where nobody is known under the id.

    Joined already it goes on, and ends as asked now.

    Raises:
        NoSuchGroupError, MembershipTimesError, StartAgainError: nothing was changed.
    """
    group = GroupName("campaign", campaign)
    change = Change(member_id, "add", from_at, until_at)
    return await _change_one(transaction, group, change, asking)


async def leave_campaign(transaction: Transaction, campaign: str, member_id: UUID, asking: Asking) -> bool:
    """Let a member leave a campaign now, or not begin it; False where nobody is known under the id.

    Raises:
        NoSuchGroupError, StartAgainError: nothing was changed.
    """
    done = await change_memberships(transaction, GroupName("campaign", campaign), [Change(member_id, "remove")], asking)
    return not done.refused


async def _change_one(transaction: Transaction, group: GroupName, change: Change, asking: Asking) -> Membership | None:
    done = await change_memberships(transaction, group, [change], asking)
    if [one.reason for one in done.refused] == ["times"]:
        raise MembershipTimesError(
            "from_at may not lie in the past, and until_at lies after it: leave out what is open"
        )
    if done.refused:
        return None
    owner = (await lock_owners(transaction, [change.member_id]))[change.member_id]
    stays = (await memberships.load_not_over(transaction, [owner.owner_id], group))[owner.owner_id]
    return stays[-1]


def _news(
    now: datetime, stays: Sequence[Membership], owner_id: UUID, group: GroupName, change: Change, author: str
) -> list[Membership]:
    if change.action == "remove":
        return left(stays, now, author)
    asked = Membership(new_id(), owner_id, group, change.from_at or now, change.until_at, author)
    return joined(stays, asked, now)
