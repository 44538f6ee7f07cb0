"""Tell the present state again: that is how a new projection starts, whatever the topic's retention."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.members.domain.registry import Member
from services.members.repository import consents, republishing
from services.members.use_cases import announcements, merge_announcements
from shared import outbox
from shared.database import Transaction
from shared.outbox import Message

MEMBERS_PER_PAGE_MAX = 500


@dataclass(frozen=True, slots=True)
class Republished:
    """What a page told; ``last_member_id`` is where the next one starts after, None where nobody follows."""

    members: int
    identifiers: int
    consents: int
    last_member_id: UUID | None


async def republish_members(transaction: Transaction, after: UUID | None, members_max: int) -> Republished:
    """Record the members after ``after`` as MemberChanged, each with an IdentifierLinked for all that leads to it, and
    a ConsentChanged for each consent that holds, given or withdrawn.

    All at their present versions, which do not rise: whoever has them already changes nothing, however often this is
    done. Somebody merged is told with MembersMerged too, under the survivor; somebody erased, or merged into one who
    was erased since, as MemberErased again, without hashes, for there are none any more.
    """
    members = await republishing.lock_page(transaction, after, members_max)
    identifiers = await republishing.load_identifiers(transaction, [member.member_id for member in members])
    present = [member.member_id for member in members if member.status != "erased"]
    held = await consents.load_consents_of(transaction, present)
    messages = [
        announcements.erased(member.member_id, member.version, (), transaction.now)
        if member.status == "erased"
        else announcements.changed(member, transaction.now)
        for member in members
    ]
    messages += await _merges(transaction, members)
    messages += [announcements.linked(identifier, transaction.now) for identifier in identifiers]
    messages += [announcements.consent_changed(transaction, consent) for consent in held]
    await outbox.record(transaction, messages)
    last_member_id = members[-1].member_id if len(members) == members_max else None
    return Republished(len(members), len(identifiers), len(held), last_member_id)


async def _merges(transaction: Transaction, members: Sequence[Member]) -> list[Message]:
    merged = [(member, member.merged_into) for member in members if member.merged_into is not None]
    survivors = await republishing.load_states(transaction, [survivor_id for _, survivor_id in merged])
    messages = []
    for member, survivor_id in merged:
        survivor = survivors[survivor_id]
        messages.append(
            merge_announcements.merge(survivor_id, survivor.version, member.member_id, member.version, transaction.now)
        )
        if survivor.status == "erased":
            messages.append(announcements.erased(member.member_id, member.version, (), transaction.now))
    return messages
