"""What a member has and may spend, for a till that waits: mostly in one round trip."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.spendable import Spendable
from services.redemption.repository import households, projections
from services.redemption.repository import statement as repository
from services.redemption.use_cases.read_member import read_spendable
from shared import ledger
from shared.database import Transaction
from shared.database.reads import Reads
from shared.ledger import Balances


class MemberBalance(NamedTuple):
    """Whose balances these are, the survivor's where the member was merged away, and what may be spent of each type."""

    owner_id: UUID
    balances: Mapping[str, Balances]
    spendable: Mapping[str, Spendable]


async def read_balance(
    transaction: Transaction, member_id: UUID, spent: Sequence[str], *, debt_stops_spending: bool
) -> MemberBalance:
    """A member's balances by point type, as last committed; the types that are ``spent`` are always there. With them
    what ``read_spendable`` says, which is asked by itself where others may lend to the member.

    Raises:
        UnknownMemberError: the registry has not told of this member, or has erased them.
    """
    reads = Reads(transaction, sharing_trips=True)
    is_known = reads.ask(projections.is_member, member_id)
    survivors = reads.ask(ledger.find_survivors, [member_id])
    home = reads.ask(households.find_spender, member_id)
    stored = reads.ask(repository.load_balances_by_type, member_id)
    usable = {point_type: reads.ask(ledger.load_usable, [member_id], point_type) for point_type in spent}
    await reads.answered()
    if not is_known.value:
        raise UnknownMemberError
    balances = dict.fromkeys(spent, Balances()) | stored.value
    owner_id = survivors.value.get(member_id, member_id)
    has_household = home.value is not None and home.value.household_id is not None
    if has_household or owner_id != member_id:
        spendable = await read_spendable(
            transaction, owner_id, balances, spent, debt_stops_spending=debt_stops_spending
        )
        return MemberBalance(owner_id, balances, spendable)
    own = {code: Spendable(balances[code].available, 0, usable[code].value) for code in spent}
    return MemberBalance(owner_id, balances, dict.fromkeys(balances, Spendable(0, 0, ())) | own)
