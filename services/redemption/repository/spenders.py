"""Who wants to spend, locked, with all that a hold must know before the ledger is asked: mostly one statement."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.holding import MemberFacts
from services.redemption.domain.partner_funds import Funds
from services.redemption.repository import projections, quotes
from services.redemption.repository.partner_funds import FUNDS
from services.redemption.repository.quotes import StoredQuote
from shared.database import Transaction
from shared.database.errors import StartAgainError

_FUNDS = FUNDS.format(partner_id="$3", now="$4", point_type="$6")
_FUNDS_COLUMNS = ", ".join(f"funds.{name}" for name in Funds._fields)
# By names of their own: a member's id is among them too.
_QUOTE_COLUMNS = ", ".join(f"quote.{name} as quote_{at}" for at, name in enumerate(re.split(r",\s*", quotes.COLUMNS)))

# Whoever has a household is not locked here: those who lend are locked with it, in key order. One who joined a
# household while we waited for the row is left out too, but is locked: whoever locks a lender before it then may run
# into a deadlock, and is tried again.
LOCK_ALONE = f"""
    select {projections.SPENDER_COLUMNS}, {_FUNDS_COLUMNS}, {_QUOTE_COLUMNS}, null as floors_now
    from {projections.SPENDER_SOURCE}
        cross join lateral ({_FUNDS}) as funds
        left join redemption_quotes as quote on quote.quote_id = $7
    where {projections.IS_SPENDER} and member.household_id is null
    for no key update of member
"""
# The same where a quote is named: it is read with the floors that its articles have by now.
LOCK_ALONE_BY_QUOTE = LOCK_ALONE.replace("null as floors_now", quotes.FLOORS_NOW)
_SPENDER_WIDTH = 7
_FUNDS_END = _SPENDER_WIDTH + len(Funds._fields)


class LockedSpender(NamedTuple):
    """A member without a household, with what the partner's contracts say, and the quote that the hold names."""

    member: MemberFacts
    quote: StoredQuote | None


async def lock_alone(
    transaction: Transaction,
    member_id: UUID | None,
    identifier_hashes: Sequence[str],
    partner_id: str,
    point_type: str,
    quote_id: UUID | None,
    today: date,
) -> LockedSpender | None:
    """Lock the member who wants to spend, as ``projections.lock_spender`` does; None for one who has a household, is
    not known, or was erased.

    Raises:
        StartAgainError: the member was merged away while we waited for its row.
    """
    statement = LOCK_ALONE if quote_id is None else LOCK_ALONE_BY_QUOTE
    row = await transaction.raw.fetchrow(
        statement, member_id, identifier_hashes, partner_id, transaction.now, today, point_type, quote_id
    )
    member = projections.spender_of(row)
    if row is None or member is None:
        return None
    if row["merged_into"] is not None:
        raise StartAgainError("the member was merged away meanwhile")
    values = tuple(row)
    quote = values[_FUNDS_END:]
    return LockedSpender(
        replace(member, funds=Funds(*values[_SPENDER_WIDTH:_FUNDS_END])),
        None if quote[0] is None else quotes.quote_for_hold(quote),
    )
