"""Say what a member is entitled to at a till now, and what it gives of the basket."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.redemption.domain.errors import IdentifierRevokedError, UnknownMemberError
from services.redemption.domain.holding import MemberFacts
from services.redemption.domain.privileges.discounts import Discounted, FlooredLine, Given, discount
from services.redemption.domain.privileges.entitlement import Holder, NoneReason, Place, entitled, why_none
from services.redemption.domain.privileges.terms import ForOffer, PrivilegeTerms
from services.redemption.domain.write_off.prices import rules_at
from services.redemption.domain.write_off.quoting import floor_minor_of
from services.redemption.programme import Programme
from services.redemption.repository import privilege_grants, projections, quotes
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.quote_points import Asked, mapped_lines
from shared.database import Transaction
from shared.ledger import store_name


class NoPrivilegesError(Exception):
    """This member has no privileges at all there now."""

    def __init__(self, reason: NoneReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Applied(NamedTuple):
    """A privilege that the member has there now; of a discount, what it takes off, else nothing."""

    terms: PrivilegeTerms
    given: Given | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """``applied`` stand by their order and ids; ``discounted`` says what is left to be paid of each line,
    and which discounts the member has that give nothing of this basket.
    """

    member: MemberFacts
    applied: Sequence[Applied]
    discounted: Discounted


async def check_privileges(transaction: Transaction, shown: Spender, asked: Asked, programme: Programme) -> Checked:
    """Which privileges a member has, and what they give of this basket, as last committed. Changes and locks nothing.

    Discounts go by ``domain/privileges/discounts.py``; floors are those of the write-off rules in force. What of a line
    is left is its price for points, which come afterwards.

    Raises:
        UnknownMemberError: nobody is known by this.
        InvalidQrTokenError, OtherSessionError: what was shown does not count now.
        IdentifierRevokedError: it was blocked, lost or replaced.
        NoPrivilegesError: the member, or the partner, has none to give at all now.
    """
    shown.presented.require_fresh(transaction.now)
    today = transaction.now.astimezone(programme.zone).date()
    member = await projections.find_spender(
        transaction, shown.member_id, shown.identifier_hashes, asked.partner_id, today
    )
    if member is None:
        raise UnknownMemberError
    if member.is_identifier_blocked:
        raise IdentifierRevokedError
    reason = why_none(member.status, member.partner)
    if reason is not None:
        raise NoPrivilegesError(reason)
    place = Place(asked.partner_id, None if asked.store_id is None else store_name(asked.partner_id, asked.store_id))
    holder = await _holder(transaction, member, programme)
    had = entitled(programme.privileges.all, holder, place, transaction.now, today)
    discounted = discount(await _floored(transaction, asked, programme), had)
    return Checked(member, _applied(had, discounted), discounted)


async def _holder(transaction: Transaction, member: MemberFacts, programme: Programme) -> Holder:
    since = await quotes.find_since(transaction, member.member_id)
    if not any(isinstance(one.terms.entitlement, ForOffer) for one in programme.privileges.all):
        return Holder(since.tier)
    today = transaction.now.astimezone(programme.zone).date()
    return Holder(since.tier, await privilege_grants.find_granted(transaction, member.member_id, today))


async def _floored(transaction: Transaction, asked: Asked, programme: Programme) -> list[FlooredLine]:
    rules = rules_at(programme.write_off.history, transaction.now, programme.pricing)
    return [
        FlooredLine(line, floor_minor_of(asked.partner_id, line, rules))
        for line in await mapped_lines(transaction, asked)
    ]


def _applied(had: Sequence[PrivilegeTerms], discounted: Discounted) -> list[Applied]:
    given = {one.privilege_id: one for one in discounted.given}
    nothing = {*discounted.outdone, *discounted.idle}
    return [Applied(one, given.get(one.privilege_id)) for one in had if one.privilege_id not in nothing]
