"""Who wants to spend, and what a hold must know of it: under the locks of the member and of those who lend to it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.holding import HoldRequest, MemberFacts
from services.redemption.repository import partner_funds, projections, quotes, spenders
from services.redemption.repository.quotes import StoredQuote
from services.redemption.use_cases.lend import lock_lenders
from shared.database import Transaction


class Met(NamedTuple):
    """The member; whom else of the household we locked, with the member; the quote that the hold names."""

    member: MemberFacts
    locked: tuple[UUID, ...]
    quote: StoredQuote | None


async def meet_spender(
    transaction: Transaction,
    member_id: UUID | None,
    identifier_hashes: Sequence[str],
    request: HoldRequest,
    point_type: str,
    today: date,
) -> Met | None:
    """Lock the member who is named by id or by identifier, and those who lend to it, in key order; None for one who is
    not known. One statement for a member without a household, some more for others.

    Raises:
        StartAgainError: the member was merged away while we waited for its row.
    """
    alone = await spenders.lock_alone(
        transaction, member_id, identifier_hashes, request.partner_id, point_type, request.quote_id, today
    )
    if alone is not None:
        return Met(alone.member, (), alone.quote)
    locked = await lock_lenders(transaction, member_id, identifier_hashes)
    member = await projections.lock_spender(transaction, member_id, identifier_hashes, request.partner_id, today)
    if member is None:
        return None
    funds = await partner_funds.find_funds(transaction, request.partner_id, point_type)
    quote = None if request.quote_id is None else await quotes.find(transaction, request.quote_id)
    return Met(replace(member, funds=funds), locked, quote)
