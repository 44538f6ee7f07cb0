"""Tell the present state again: that is how a new projection starts, whatever the topic's retention."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.members.domain.attributes import is_told
from services.members.domain.registry import Member
from services.members.repository import attributes, consents, republishing
from services.members.use_cases import announcements, merge_announcements
from services.members.use_cases.attribute_announcements import attribute_changed, attribute_declared
from shared import outbox
from shared.database import Transaction
from shared.outbox import Message

MEMBERS_PER_PAGE_MAX = 500
ATTRIBUTES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Republished:
    """What a page told; ``last_member_id`` is where the next one starts after, None where nobody follows."""

    members: int
    identifiers: int
    consents: int
    last_member_id: UUID | None


async def republish_members(transaction: Transaction, after: UUID | None, members_max: int) -> Republished:
    """Record the members after ``after`` as MemberChanged, each with an IdentifierLinked for all that leads to it, a
    ConsentChanged for each consent that holds, given or withdrawn, a MemberAttributeChanged for each value that may be
    told, and a ContactChanged where the e-mail address became another one. The first page tells which attributes there
    are.

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
    messages += [
        announcements.contact_changed(*moved, transaction.now)
        for moved in await republishing.load_contact_changes(transaction, present)
    ]
    if after is None:
        messages = [*await _declared(transaction), *messages]
    values = await attributes.load_told(transaction, present)
    messages += [attribute_changed(transaction, value) for value in values]
    await outbox.record(transaction, messages)
    last_member_id = members[-1].member_id if len(members) == members_max else None
    return Republished(len(members), len(identifiers), len(held), last_member_id)


async def _declared(transaction: Transaction) -> list[Message]:
    declared = await attributes.load_attributes(transaction, after=None, rows_max=ATTRIBUTES_MAX)
    return [attribute_declared(transaction, attribute) for attribute in declared if is_told(attribute)]


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
