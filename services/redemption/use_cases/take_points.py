"""A redemption's holds as ledger commands, and the ledger's answers as what was reserved, taken and let go.

What a redemption reserves of several owners is a hold each in the ledger, asked for in one call.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID, uuid5

from services.redemption.domain.capturing import Take
from services.redemption.domain.giving_back import GiveBack
from services.redemption.domain.redemption import Capture, Redemption, Share
from services.redemption.domain.shrinking import Shrink
from shared import ledger
from shared.database import Transaction
from shared.ledger import Balances, Basket, Command, FundedPoints, Funding, LotTerms, Outcome, Posted


class Asked(NamedTuple):
    """One command of a redemption; ``share`` is None where it is the member's own points."""

    share: Share | None
    command: Command


class Pooled(NamedTuple):
    """Points of another member: how many were reserved, taken or let go, and what that member has just after."""

    owner_id: UUID
    points: int
    balance: Balances


@dataclass(frozen=True, slots=True)
class Settled:
    """How redemption and capture stand after the ledger has posted, and the balances just after.

    ``balance`` is None where the ledger was asked for nothing of the member's own. ``issuers`` says who had issued the
    points that were taken, ``funded`` which of them have payers of their own.
    """

    redemption: Redemption
    capture: Capture
    balance: Balances | None
    issuers: tuple[tuple[str, int], ...]
    pooled: tuple[Pooled, ...] = ()
    funded: tuple[FundedPoints, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What went back of a capture: to whose points, issued by whom, and what of it cleared debts."""

    balance: Balances | None
    issuers: tuple[tuple[str, int], ...]
    pooled: tuple[Pooled, ...]
    funded: tuple[FundedPoints, ...]
    debt_cleared: int


def owners_of(redemption: Redemption, member_id: UUID) -> list[UUID]:
    """Whose points are reserved: the member's, and those who lend."""
    return [member_id, *(share.owner_id for share in redemption.shares)]


def reserving(redemption: Redemption, member_id: UUID, basket: Basket | None) -> list[Asked]:
    """What to ask of the ledger: a hold on own points and one on each share, of what the basket may use."""
    parts = [
        (None, member_id, redemption.redemption_id, redemption.own_held_points),
        *((share, share.owner_id, share.hold_id, share.held_points) for share in redemption.shares),
    ]
    return [
        Asked(share, reserve_of(redemption, owner_id, hold_id, points, basket))
        for share, owner_id, hold_id, points in parts
        if points
    ]


def reserve_of(
    redemption: Redemption, owner_id: UUID, hold_id: UUID, points: int, basket: Basket | None
) -> ledger.Reserve:
    """What to ask of the ledger for a part of a redemption."""
    return ledger.Reserve(owner_id, redemption.point_type, redemption.redemption_id.bytes, points, hold_id, basket)


def lives_until(transaction: Transaction, came_back_days: int) -> date | None:
    """The first day on which what comes back today, after its own last day, may no longer be spent; None where it
    lapses at once."""
    today = transaction.today
    return None if today is None or came_back_days == 0 else today + timedelta(days=came_back_days)


def letting_go(
    redemption: Redemption, member_id: UUID, purpose: Literal["void", "expire"], until: date | None = None
) -> list[Asked]:
    """What to ask of the ledger: that everything still reserved goes back to its lots. What comes back to one whose
    time is over lives ``until`` then, here as in all that follows."""
    parts = [
        (None, member_id, redemption.redemption_id, redemption.own_open_points),
        *((share, share.owner_id, share.hold_id, share.open_points) for share in redemption.shares),
    ]
    reference = redemption.redemption_id.bytes
    return [
        Asked(share, ledger.Void(owner_id, redemption.point_type, reference, hold_id, purpose, until))
        for share, owner_id, hold_id, points in parts
        if points
    ]


def shrinking(shrink: Shrink, redemption: Redemption, member_id: UUID, until: date | None) -> list[Asked]:
    """What to ask of the ledger: that each purse has its part of what is no longer needed back in its lots."""
    holds = [
        (None, member_id, redemption.redemption_id),
        *((share, share.owner_id, share.hold_id) for share in redemption.shares),
    ]
    point_type, reference = redemption.point_type, redemption.redemption_id.bytes
    return [
        Asked(share, ledger.Void(owner_id, point_type, reference, hold_id, "void", until, points))
        for (share, owner_id, hold_id), points in zip(holds, shrink.parts, strict=True)
        if points
    ]


def taking(take: Take, basket: Basket | None = None, until: date | None = None, *, owes: bool = False) -> list[Asked]:
    """What to ask of the ledger: from the holds first, the member's own before others', then late from what is the
    member's own and the basket may use; what is not there is owed, where the member ``owes`` it. A hold of which
    nothing is needed is let go, unless the rest is kept."""
    redemption, reference = take.redemption, take.receipt_key
    point_type = redemption.point_type
    holds = [
        (None, take.member_id, redemption.redemption_id, redemption.own_open_points),
        *((share, share.owner_id, share.hold_id, share.open_points) for share in redemption.shares),
    ]
    asked: list[Asked] = []
    for (share, owner_id, hold_id, open_points), points in zip(holds, take.parts, strict=True):
        if points:
            command: Command = ledger.Capture(
                owner_id, point_type, reference, points, hold_id, take.partner_id, take.keep_rest, until
            )
            asked.append(Asked(share, command))
        elif open_points and not take.keep_rest:
            asked.append(Asked(share, ledger.Void(owner_id, point_type, reference, hold_id, "void", until)))
    if take.from_available:
        late_id = taken_late_as(redemption.redemption_id, reference)
        points, partner_id = take.from_available, take.partner_id
        late = ledger.SpendLate(take.member_id, point_type, reference, points, partner_id, late_id, basket, owes)
        asked.append(Asked(None, late))
    return asked


def giving_back(one: GiveBack, member_id: UUID, partner_id: str, today: date, until: date | None = None) -> list[Asked]:
    """What to ask of the ledger: first that what is owed for a receipt is owed no more, what of that has been paid
    coming back from the partner, ``today``; then that each purse has its part of what was taken back in its lots."""
    redemption, late_id = one.redemption, taken_late_as(one.redemption.redemption_id, one.capture.receipt_key)
    holds = [
        (None, member_id, redemption.redemption_id),
        *((share, share.owner_id, share.hold_id) for share in redemption.shares),
        (None, member_id, late_id),
    ]
    reference = one.undoing.undone_by
    *parts, debt_points = one.parts
    point_type = redemption.point_type
    asked: list[Asked] = []
    if debt_points:
        terms = LotTerms(partner_id, today, None, basis="compensation")
        owed = ledger.RefundOwed(member_id, point_type, reference, debt_points, late_id, partner_id, terms)
        asked.append(Asked(None, owed))
    asked += [
        Asked(share, ledger.Refund(owner_id, point_type, reference, points, hold_id, partner_id, until))
        for (share, owner_id, hold_id), points in zip(holds, parts, strict=True)
        if points
    ]
    return asked


def given_back(asked: Sequence[Asked], outcomes: Sequence[Outcome]) -> GivenBack:
    """What went back, from the outcomes of ``giving_back``."""
    posted = accepted(outcomes)
    own, pooled = balances_after(asked, posted)
    cleared = sum(outcome.debt_cleared for outcome in posted)
    return GivenBack(own, _issuers(posted), pooled, _funded(posted), cleared)


def taken_late_as(redemption_id: UUID, receipt_key: bytes) -> UUID:
    """The ledger's id of what a receipt took beyond its redemption's holds: there is one capture of the two."""
    return uuid5(redemption_id, receipt_key.hex())


def settle(take: Take, asked: Sequence[Asked], outcomes: Sequence[Outcome], now: datetime) -> Settled:
    """What was taken, from the outcomes of ``taking(take)``."""
    posted = accepted(outcomes)
    owed = sum(outcome.debt_added for outcome in posted)
    redemption, capture = take.settled(sum(outcome.shortfall for outcome in posted), now, owed)
    own, pooled = balances_after(asked, posted, is_capture=True)
    capture = replace(capture, limited=tuple(one for outcome in posted for one in outcome.limited))
    return Settled(redemption, capture, own, _issuers(posted), pooled, _funded(posted))


def _issuers(posted: Sequence[Posted]) -> tuple[tuple[str, int], ...]:
    """Who had issued the points, from whatever purses they came."""
    points: dict[str, int] = {}
    for issuer, part in [pair for outcome in posted for pair in outcome.issuers]:
        points[issuer] = points.get(issuer, 0) + part
    return tuple(sorted(points.items()))


def _funded(posted: Sequence[Posted]) -> tuple[FundedPoints, ...]:
    """Which points have payers of their own, from whatever purses they came."""
    points: dict[tuple[str, Funding], int] = {}
    for issuer, funding, part in [one for outcome in posted for one in outcome.funded]:
        points[issuer, funding] = points.get((issuer, funding), 0) + part
    return tuple(FundedPoints(issuer, funding, part) for (issuer, funding), part in points.items())


def balances_after(
    asked: Sequence[Asked], posted: Sequence[Posted], *, is_capture: bool = False
) -> tuple[Balances | None, tuple[Pooled, ...]]:
    """The member's own balance after these commands, None where none was on it; and what was moved of others.

    ``is_capture``: only what was taken counts as moved, not what was let go.
    """
    own: Balances | None = None
    own_id: UUID | None = None
    pooled: list[Pooled] = []
    for (share, _), outcome in zip(asked, posted, strict=True):
        if share is None:
            own, own_id = outcome.balance, outcome.command.owner_id
        else:
            if outcome.command.owner_id == own_id:  # who lent was merged into the member since
                own = outcome.balance
            is_let_go = is_capture and isinstance(outcome.command, ledger.Void)
            pooled.append(Pooled(share.owner_id, 0 if is_let_go else outcome.points, outcome.balance))
    return own, tuple(pooled)


async def own_balances(transaction: Transaction, after: Sequence[tuple[str, UUID, Balances | None]]) -> list[Balances]:
    """Members' own balances of a point type just after, read from the ledger where no command was on the member's own
    points: a statement a type."""
    loaded: dict[tuple[str, UUID], Balances] = {}
    for point_type in sorted({one for one, _, balance in after if balance is None}):
        missing = sorted({member_id for one, member_id, balance in after if balance is None and one == point_type})
        found = await ledger.load_balances(transaction, missing, point_type)
        loaded |= {(point_type, member_id): balance for member_id, balance in found.items()}
    return [loaded[point_type, member_id] if balance is None else balance for point_type, member_id, balance in after]


def accepted(outcomes: Sequence[Outcome]) -> list[Posted]:
    """The outcomes of commands that the ledger cannot refuse while it agrees with the redemptions' rows.

    Raises:
        RuntimeError: it does not agree; the transaction must be rolled back.
    """
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Posted)]
    if refused:
        raise RuntimeError(f"ledger and redemptions disagree about a hold: {refused[0].reason}")
    return [outcome for outcome in outcomes if isinstance(outcome, Posted)]
