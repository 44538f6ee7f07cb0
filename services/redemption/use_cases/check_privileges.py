"""Say what a member is entitled to at a till now, and what it gives of the basket."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.errors import IdentifierRevokedError, UnknownMemberError
from services.redemption.domain.holding import MemberFacts
from services.redemption.domain.privileges.discounts import Discounted, FlooredLine, Given, discount
from services.redemption.domain.privileges.entitlement import Holder, NoneReason, Place, entitled, why_none
from services.redemption.domain.privileges.terms import ForOffer, PrivilegeTerms
from services.redemption.domain.write_off.prices import rules_at
from services.redemption.domain.write_off.quoting import floor_minor_of
from services.redemption.programme import Programme
from services.redemption.repository import bought_privileges, privilege_grants, privilege_limits, projections, quotes
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.quote_points import Asked, known_lines
from shared.database import Transaction, read_to
from shared.events.catalogue import PURCHASES


class NoPrivilegesError(Exception):
    """This member has no privileges at all there now."""

    def __init__(self, reason: NoneReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Applied(NamedTuple):
    """A privilege that the member has there now; of a discount, what it takes off, else nothing. ``uses_left``: None
    where it is not limited."""

    terms: PrivilegeTerms
    given: Given | None = None
    uses_left: int | None = None


class Entitled(NamedTuple):
    """A member, and the privileges that it has at a place now, by order and id."""

    member: MemberFacts
    terms: Sequence[PrivilegeTerms]


@dataclass(frozen=True, slots=True)
class Checked:
    """``applied`` stand by their order and ids; ``discounted`` says what is left to be paid of each line, and which
    discounts the member has that give nothing of this basket. ``spent`` were used as often as they may be.
    """

    member: MemberFacts
    applied: Sequence[Applied]
    discounted: Discounted
    spent: Sequence[str]


async def check_privileges(transaction: Transaction, shown: Spender, asked: Asked, programme: Programme) -> Checked:
    """Which privileges a member has, and what they give of this basket, as last committed. Changes and locks nothing.

    Discounts go by ``domain/privileges/discounts.py``; floors are those of the write-off rules in force and of the
    articles. What of a line is left is its price for points, which come afterwards. What the conversation itself has
    reserved is left to it.

    Raises:
        UnknownMemberError: nobody is known by this.
        InvalidQrTokenError, OtherSessionError: what was shown does not count now.
        IdentifierRevokedError: it was blocked, lost or replaced.
        NoPrivilegesError: the member, or the partner, has none to give at all now.
    """
    entitled_to = await find_entitled(
        transaction, shown, Place.of(asked.partner_id, asked.store_id), programme, is_locking=False
    )
    session_id = shown.presented.session_with(None)
    own_sessions = [] if session_id is None else [(session_id, asked.partner_id)]
    left = await find_uses_left(transaction, entitled_to, own_sessions, programme)
    had = [one for one in entitled_to.terms if left.get(one.privilege_id) != 0]
    discounted = discount(await _floored(transaction, asked, programme), had)
    spent = [one.privilege_id for one in entitled_to.terms if left.get(one.privilege_id) == 0]
    return Checked(entitled_to.member, _applied(had, discounted, left), discounted, spent)


async def find_entitled(
    transaction: Transaction, shown: Spender, place: Place, programme: Programme, *, is_locking: bool
) -> Entitled:
    """Who is named, and what that member has there now; ``is_locking``: with its row locked to the commit.

    Raises: as ``check_privileges``.
    """
    shown.presented.require_fresh(transaction.now)
    today = transaction.now.astimezone(programme.zone).date()
    find = projections.lock_spender if is_locking else projections.find_spender
    member = await find(transaction, shown.member_id, shown.identifier_hashes, place.partner_id, today)
    if member is None:
        raise UnknownMemberError
    if member.is_identifier_blocked:
        raise IdentifierRevokedError
    reason = why_none(member.status, member.partner)
    if reason is not None:
        raise NoPrivilegesError(reason)
    holder = await find_holder(transaction, member, programme)
    return Entitled(member, entitled(programme.privileges.all, holder, place, transaction.now, today))


async def find_uses_left(
    transaction: Transaction, entitled_to: Entitled, own_sessions: Collection[tuple[UUID, str]], programme: Programme
) -> dict[str, int]:
    """How often the member may use each of these yet, where they are limited; what its own conversation, at this
    partner, has reserved is left to it.

    Exact where the member, and privileges that are limited together, are locked.
    """
    limited = [one for one in entitled_to.terms if one.limits]
    if not limited:
        return {}
    today = transaction.now.astimezone(programme.zone).date()
    member_id = entitled_to.member.member_id
    tally = await privilege_limits.load_tally(
        transaction,
        [member_id],
        [one.privilege_id for one in limited],
        [today],
        purchases_read_to=await read_to.load(transaction, PURCHASES.topic, programme.topic_partitions),
        own_sessions=own_sessions,
    )
    left = {one.privilege_id: tally.left(one, member_id, today) for one in limited}
    return {privilege_id: uses for privilege_id, uses in left.items() if uses is not None}


async def find_holder(transaction: Transaction, member: MemberFacts, programme: Programme) -> Holder:
    """What the member has that entitles, as last committed."""
    since = await quotes.find_since(transaction, member.member_id)
    today = transaction.now.astimezone(programme.zone).date()
    granted: frozenset[str] = frozenset()
    bought: frozenset[str] = frozenset()
    if any(isinstance(one.terms.entitlement, ForOffer) for one in programme.privileges.all):
        granted = await privilege_grants.find_granted(transaction, member.member_id, today)
    if programme.privileges.by_purchase:
        bought = await bought_privileges.find_bought(transaction, member.member_id, today)
    return Holder(since.tier, granted, bought)


async def _floored(transaction: Transaction, asked: Asked, programme: Programme) -> list[FlooredLine]:
    rules = rules_at(programme.write_off.history, transaction.now, programme.pricing)
    return [
        FlooredLine(line, floor_minor_of(asked.partner_id, line, rules))
        for line in await known_lines(transaction, asked)
    ]


def _applied(had: Sequence[PrivilegeTerms], discounted: Discounted, left: Mapping[str, int]) -> list[Applied]:
    given = {one.privilege_id: one for one in discounted.given}
    nothing = {*discounted.outdone, *discounted.idle}
    return [
        Applied(one, given.get(one.privilege_id), left.get(one.privilege_id))
        for one in had
        if one.privilege_id not in nothing
    ]
