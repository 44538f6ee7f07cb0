"""What messages need to know of members and partners, taken from their topics."""

from collections.abc import Iterable, Sequence

from services.notifications.repository import digests, projections
from services.notifications.repository import merges as merging
from services.notifications.repository.projections import Partner, Recipient
from services.notifications.use_cases.erase_members import erase_members
from shared.database import Transaction
from shared.events.coalition import PartnerChanged
from shared.events.members import MemberErased, MemberEvent, MembersMerged, MemberStated
from shared.events.versions import highest


async def project_members(transaction: Transaction, events: Sequence[MemberEvent]) -> None:
    """Remember each member's status and language, where the event's version is higher than what is known; forget those
    who were erased; write to the survivor for those who were merged away.

    Idempotent, and indifferent to order.
    """
    told = [event.data for event in events if isinstance(event, MemberStated)]
    if told:
        newest = highest(told, lambda data: data.member_id)
        rows = [Recipient(data.member_id, data.version, data.status, data.language) for data in newest]
        await projections.save_recipients(transaction, rows)
    merges = [event.data for event in events if isinstance(event, MembersMerged)]
    if merges:
        both = {member_id for merge in merges for member_id in (merge.member_id, merge.merged_member_id)}
        await digests.lock_recipients(transaction, both)
        for merge in merges:
            await merging.save(transaction, merge)
    erasures = [event.data for event in events if isinstance(event, MemberErased)]
    if erasures:
        await erase_members(transaction, erasures)


async def project_partners(transaction: Transaction, events: Iterable[PartnerChanged]) -> None:
    """Remember each partner's name, where the event's version is higher than what is known. Idempotent."""
    newest = highest((event.data for event in events), lambda data: data.partner_id)
    if newest:
        await projections.save_partners(
            transaction, [Partner(data.partner_id, data.version, data.name) for data in newest]
        )
