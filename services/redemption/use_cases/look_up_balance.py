"""What a member has, asked at a till by what was shown there. Changes nothing."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.redemption.domain.errors import IdentifierRevokedError, MayNotSeeBalanceError, UnknownMemberError
from services.redemption.repository import projections
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.read_member import read_balances
from shared.database import Transaction
from shared.ledger import Balances


async def look_up_balance(
    transaction: Transaction, shown: Spender, spent: Sequence[str]
) -> tuple[UUID, Mapping[str, Balances]]:
    """The member who was named, and the balances by point type, as last committed.

    Raises:
        MayNotSeeBalanceError: the programme shows no balance for what was shown this way.
        InvalidQrTokenError: the token has expired.
        UnknownMemberError, IdentifierRevokedError: it names nobody, or is in use no more.
    """
    capability = shown.presented.capability
    if capability is not None and not capability.may_see_balance:
        raise MayNotSeeBalanceError
    shown.presented.require_fresh(transaction.now)
    member_id = shown.member_id
    if shown.identifier_hashes:
        holder = await projections.find_holder(transaction, shown.identifier_hashes)
        if holder is None:
            raise UnknownMemberError
        if not holder.is_active:
            raise IdentifierRevokedError
        member_id = holder.member_id
    if member_id is None:
        raise UnknownMemberError
    return await read_balances(transaction, member_id, spent)
