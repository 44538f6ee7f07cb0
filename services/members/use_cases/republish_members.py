"""Tell the present state again: that is how a new projection starts, whatever the topic's retention."""

from dataclasses import dataclass
from uuid import UUID

from services.members.repository import republishing
from services.members.use_cases import announcements
from shared import outbox
from shared.database import Transaction

MEMBERS_PER_PAGE_MAX = 500


@dataclass(frozen=True, slots=True)
class Republished:
    """What a page told; ``last_member_id`` is where the next one starts after, None where nobody follows."""

    members: int
    identifiers: int
    last_member_id: UUID | None


async def republish_members(transaction: Transaction, after: UUID | None, members_max: int) -> Republished:
    """Record the members after ``after`` as MemberChanged, each with an IdentifierLinked for all that leads to it.

    All at their present versions, which do not rise: whoever has them already changes nothing, however often this is
    done. Somebody erased is told as MemberErased again, without hashes, for there are none any more.
    """
    members = await republishing.lock_page(transaction, after, members_max)
    identifiers = await republishing.load_identifiers(transaction, [member.member_id for member in members])
    messages = [
        announcements.erased(member, (), transaction.now)
        if member.status == "erased"
        else announcements.changed(member, transaction.now)
        for member in members
    ]
    messages += [announcements.linked(identifier, transaction.now) for identifier in identifiers]
    await outbox.record(transaction, messages)
    last_member_id = members[-1].member_id if len(members) == members_max else None
    return Republished(len(members), len(identifiers), last_member_id)
