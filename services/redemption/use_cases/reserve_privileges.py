"""Keep uses of limited privileges for a till conversation, so that together no more are promised than there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.redemption.domain.errors import OtherSessionError, RedemptionError
from services.redemption.domain.privileges.entitlement import Place
from services.redemption.domain.privileges.limits import is_limited_together
from services.redemption.programme import Programme
from services.redemption.repository import privilege_limits
from services.redemption.repository.privilege_limits import Reservation
from services.redemption.use_cases.check_privileges import Entitled, find_entitled, find_uses_left
from services.redemption.use_cases.hold_points import Spender
from shared.database import Transaction


class NotEntitledError(RedemptionError):
    """The member does not have these privileges here now."""

    def __init__(self, privilege_ids: Sequence[str]) -> None:
        super().__init__(f"the member does not have these privileges here now: {', '.join(privilege_ids)}")


class NoUsesLeftError(RedemptionError):
    """These privileges were used, or are reserved, as often as they may be."""

    def __init__(self, privilege_ids: Sequence[str]) -> None:
        super().__init__(f"these privileges were used as often as they may be: {', '.join(privilege_ids)}")
        self.privilege_ids = privilege_ids


@dataclass(frozen=True, slots=True)
class Wanted:
    """Uses that a till wants kept for a conversation, and for how long."""

    place: Place
    session_id: UUID
    privilege_ids: frozenset[str]
    valid_for: timedelta


async def reserve_privileges(
    transaction: Transaction, shown: Spender, wanted: Wanted, programme: Programme
) -> list[Reservation]:
    """Keep one use of each of these privileges for a conversation, or of none.

    The same again keeps them longer. They count from now on as if they were used, until the receipt that carries the
    session comes, or until purchases were read to their end without one. Locks the member, then privileges whose uses
    are limited together, to the commit: of two who want the last use one gets it.

    Raises:
        UnknownMemberError, InvalidQrTokenError, OtherSessionError, IdentifierRevokedError, NoPrivilegesError: as a
            check does.
        NotEntitledError, NoUsesLeftError: nothing is kept.
        OtherSessionError: also where the conversation is another member's, or at another partner.
    """
    entitled_to = await find_entitled(transaction, shown, wanted.place, programme, is_locking=True)
    terms = [one for one in entitled_to.terms if one.privilege_id in wanted.privilege_ids]
    if lacking := wanted.privilege_ids - {one.privilege_id for one in terms}:
        raise NotEntitledError(sorted(lacking))
    if together := [one.privilege_id for one in terms if is_limited_together(one)]:
        await privilege_limits.lock_privileges(transaction, together)
    own_sessions = [(wanted.session_id, wanted.place.partner_id)]
    left = await find_uses_left(transaction, Entitled(entitled_to.member, terms), own_sessions, programme)
    if spent := sorted(privilege_id for privilege_id, uses in left.items() if uses == 0):
        raise NoUsesLeftError(spent)
    today = transaction.now.astimezone(programme.zone).date()
    kept = [
        Reservation(
            wanted.session_id,
            one.privilege_id,
            wanted.place.partner_id,
            entitled_to.member.member_id,
            today,
            transaction.now + wanted.valid_for,
        )
        for one in terms
    ]
    if not await privilege_limits.reserve(transaction, kept):
        raise OtherSessionError
    return kept
