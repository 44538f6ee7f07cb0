"""Say which privileges a member has now, wherever that is, why, and how often they may still be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.privileges.bought import Bought
from services.redemption.domain.privileges.entitlement import NoneReason, held, why_none
from services.redemption.domain.privileges.terms import PrivilegeTerms
from services.redemption.programme import Programme
from services.redemption.repository import bought_privileges, privilege_grants, projections
from services.redemption.repository.privilege_grants import Grant
from services.redemption.use_cases.check_privileges import Entitled, find_holder, find_uses_left
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class MembersPrivileges:
    """``terms`` by order and id. ``grants`` and ``bought`` are, by the privileges' ids, what entitles to offers and to
    what purchases give. ``uses_left`` of those that are limited. ``none_because``: the member's status gives none.
    """

    member_id: UUID
    tier: str | None
    terms: Sequence[PrivilegeTerms]
    grants: Mapping[str, Grant]
    bought: Mapping[str, Sequence[Bought]]
    uses_left: Mapping[str, int]
    none_because: NoneReason | None


async def read_privileges(transaction: Transaction, member_id: UUID, programme: Programme) -> MembersPrivileges:
    """What a member has now, at whichever partner; of one who was merged away the survivor's. A till asks what is given
    at its place, and of a basket. Changes and locks nothing: the transaction is a snapshot.

    Raises:
        UnknownMemberError: the registry has not told of this member, or has erased it.
    """
    today = transaction.now.astimezone(programme.zone).date()
    member = await projections.find_spender(transaction, member_id, [], "", today)
    if member is None:
        raise UnknownMemberError
    holder = await find_holder(transaction, member, programme)
    reason = why_none(member.status, None)
    if reason is not None:
        return MembersPrivileges(member.member_id, holder.tier, (), {}, {}, {}, reason)
    terms = held(programme.privileges.all, holder, transaction.now, today)
    uses_left = await find_uses_left(transaction, Entitled(member, terms), (), programme)
    ids = {one.privilege_id for one in terms}
    grants = await privilege_grants.load_of_member(transaction, member.member_id, today)
    bought: dict[str, list[Bought]] = {}
    for one in await bought_privileges.load_of_member(transaction, member.member_id, today):
        bought.setdefault(one.privilege_id, []).append(one)
    return MembersPrivileges(
        member.member_id,
        holder.tier,
        terms,
        {one.privilege_id: one for one in grants if one.privilege_id in ids},
        {privilege_id: found for privilege_id, found in bought.items() if privilege_id in ids},
        uses_left,
        None,
    )
