"""What a member has, and may spend."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.redemption.domain.by_date import Dated
from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.spendable import Spendable
from services.redemption.repository import by_date, households, projections
from services.redemption.repository import statement as repository
from shared import ledger
from shared.database import Transaction
from shared.ledger import Balances


async def read_balances(
    transaction: Transaction, member_id: UUID, spent: Sequence[str]
) -> tuple[UUID, dict[str, Balances]]:
    """A member's balances by point type, as last committed; the types that are ``spent`` are always there.

    Also whose they are: the survivor's, where the member was merged away.

    Raises:
        UnknownMemberError: the registry has not told of this member, or has erased them.
    """
    if not await projections.is_member(transaction, member_id):
        raise UnknownMemberError
    owner_id = (await ledger.find_survivors(transaction, [member_id])).get(member_id, member_id)
    return owner_id, dict.fromkeys(spent, Balances()) | await repository.load_balances_by_type(transaction, owner_id)


async def read_spendable(
    transaction: Transaction,
    member_id: UUID,
    balances: Mapping[str, Balances],
    spent: Sequence[str],
    *,
    debt_stops_spending: bool,
) -> dict[str, Spendable]:
    """What the member may spend of each of these point types, and on what, as last committed: of those that are
    ``spent`` what others in the household lend too, of those that only count nothing. Where debt stops spending, others
    lend nothing to a member who owes points of the type: what is told here is what a hold would get.
    """
    lenders = await _lenders(transaction, member_id)
    found = dict.fromkeys(balances, Spendable(0, 0, ()))
    for point_type in spent:
        is_stopped = debt_stops_spending and balances[point_type].debt > 0
        lending = [] if is_stopped else lenders
        usable = await ledger.load_usable(transaction, [member_id, *lending], point_type)
        pooled = await _available(transaction, lending, point_type)
        found[point_type] = Spendable(balances[point_type].available, pooled, usable)
    return found


async def read_dated(transaction: Transaction, owner_id: UUID, balances: Mapping[str, Balances]) -> dict[str, Dated]:
    """The member's own points by their days, of each of these point types. In a snapshot they add up to the balances
    that were read in it. What is held stands nowhere here: it lapses only once it is let go.
    """
    return dict.fromkeys(balances, Dated()) | await by_date.load_dated(transaction, owner_id)


async def _available(transaction: Transaction, owners: Sequence[UUID], point_type: str) -> int:
    balances = await ledger.load_balances(transaction, owners, point_type) if owners else {}
    return sum(balance.available for balance in balances.values())


async def _lenders(transaction: Transaction, member_id: UUID) -> list[UUID]:
    """Those of its household who lend to the member, by whoever answers for them."""
    found = await households.find_spender(transaction, member_id)
    if found is None or found.household_id is None:
        return []
    household = await households.find_household(transaction, found.household_id)
    lenders = () if household is None else household.lenders_to(found.member_id)
    if not lenders:
        return []
    survivors = await ledger.find_survivors(transaction, [found.member_id, *lenders])
    own = survivors.get(found.member_id, found.member_id)
    return sorted({survivors.get(lender, lender) for lender in lenders} - {own})
