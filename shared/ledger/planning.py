"""Decides what a list of commands does to the ledger. Pure: equal arguments give an equal plan.

The plan says what to write, folded: one change an account, one a lot, one a hold, and every transfer in its order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from shared.ledger.book import Account, Book, Hold, HoldPart, LedgerBrokenError, Lot, StoredHold, StoredLot, Transfer
from shared.ledger.commands import (
    LOTS_PER_HOLD_MAX,
    AccountKey,
    Capture,
    ClawBack,
    Command,
    Earn,
    Outcome,
    Posted,
    Refused,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
)
from shared.ledger.legs import (
    CAPTURE,
    CLAW_BACK_AVAILABLE,
    CLAW_BACK_OWED,
    CLAW_BACK_PENDING,
    EARN,
    EXPIRE,
    RELEASE,
    RESERVE,
    SPEND_LATE,
    SUSPEND,
    VOID,
)
from shared.ledger.terms import pending_key


class HoldExistsError(ValueError):
    """A Reserve names a hold that is there already: the caller lost its idempotency record."""


class Absorbed(NamedTuple):
    """An account that was merged into the one that ``survivor`` names, and has holds of its own still."""

    survivor: AccountKey
    account: Account


class AccountChange(NamedTuple):
    """What is added to an account's balances; amounts may be negative."""

    account_id: int
    available: int
    held: int
    pending: int
    debt: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write, and what to answer: ``outcomes`` are in the order of the commands.

    ``credited_lots`` were not read: their amounts are additions, zero or more, and some have to be made.
    ``stored_lots`` were read and have changed.
    """

    outcomes: list[Outcome]
    transfers: list[Transfer]
    accounts: list[AccountChange]
    credited_lots: list[Lot]
    stored_lots: list[Lot]
    new_holds: list[Hold]
    stored_holds: list[Hold]


def plan(
    accounts: Mapping[AccountKey, Account],
    lots: Iterable[StoredLot],
    holds: Iterable[StoredHold],
    commands: Sequence[Command],
    absorbed: Sequence[Absorbed] = (),
) -> Plan:
    """Decide ``commands`` in their order, each seeing the effect of those before it.

    ``accounts`` holds every account that the commands name. ``lots`` are, of each account with a command other than
    Earn, those that its commands name and the first ones to be spent, as many as its commands can draw on; of other
    accounts none are needed, since an account in debt has nothing available. ``holds`` are the open ones that are
    named; one that is missing counts as closed. ``absorbed`` are the accounts of those among them that are not on
    their owner's account, because they were opened before it was merged; the survivor's lots of their terms are among
    ``lots`` too.
    """
    transfers: list[Transfer] = []
    books = {key: Book(account, transfers) for key, account in accounts.items()}
    by_account = {book.account.account_id: book for book in books.values()}
    homes = list(books.values())
    for survivor, account in absorbed:
        home = books[survivor].absorbed[account.account_id] = Book(account, transfers)
        homes.append(home)
    for lot in lots:
        by_account[lot.account_id].take_in_lot(lot)
    by_account |= {account.account_id: books[survivor] for survivor, account in absorbed}
    for hold in holds:
        if (owner := by_account.get(hold.account_id)) is not None:  # another owner's hold is nobody's here
            owner.take_in_hold(hold)
    outcomes = [decide(books[command.owner_id.int, command.point_type], command) for command in commands]
    return fold(outcomes, transfers, homes)


def decide(book: Book, command: Command) -> Outcome:
    """Apply one command to its owner's book."""
    match command:
        case Earn():
            return _earn(book, command)
        case ClawBack():
            return _claw_back(book, command)
        case Suspend():
            return _suspend(book, command)
        case Release():
            return _release(book, command)
        case Reserve():
            return _reserve(book, command)
        case Capture():
            return _capture(book, command)
        case Void():
            return _void(book, command)
        case SpendLate():
            return _spend_late(book, command)
        case _:
            assert_never(command)


def _earn(book: Book, command: Earn) -> Outcome:
    points, terms = command.points, command.terms
    book.move(EARN, points, command.reference, None, book.lot_of(terms), terms.issuer)
    cleared = book.settle(command.reference) if book.balance["debt"] else 0
    return Posted(command, points, book.balances(), 0, 0, cleared)


def _claw_back(book: Book, command: ClawBack) -> Outcome:
    left = command.points
    reference, issuer = command.reference, command.terms.issuer
    pending = book.find_lot(pending_key(command.terms, command.award))
    if pending is not None and (part := min(left, pending.remaining)):
        book.move(CLAW_BACK_PENDING, part, reference, pending, partner_id=issuer)
        left -= part
    lot = book.find_lot(command.terms.key)
    if lot is not None and (part := min(left, lot.remaining)):
        book.move(CLAW_BACK_AVAILABLE, part, reference, lot, partner_id=issuer)
        left -= part
    if left:
        book.move(CLAW_BACK_OWED, left, reference, partner_id=issuer)
    cleared = book.settle(reference)
    return Posted(command, command.points, book.balances(), debt_added=left, debt_cleared=cleared)


def _suspend(book: Book, command: Suspend) -> Outcome:
    points = 0
    lot = book.find_lot(command.terms.key)
    if lot is not None and (points := min(command.points, lot.remaining)):
        book.move(SUSPEND, points, command.reference, lot, book.pending_lot_of(command.terms, command.award))
    return Posted(command, points, book.balances(), shortfall=command.points - points)


def _release(book: Book, command: Release) -> Outcome:
    points = cleared = 0
    pending = book.find_lot(pending_key(command.terms, command.award))
    if pending is not None and (points := pending.remaining):
        book.move(RELEASE, points, command.reference, pending, book.lot_of(command.terms))
        cleared = book.settle(command.reference)
    return Posted(command, points, book.balances(), debt_cleared=cleared)


def _reserve(book: Book, command: Reserve) -> Outcome:
    if command.hold_id in book.holds:
        raise HoldExistsError(f"hold {command.hold_id} is reserved twice")
    if command.points > book.balance["available"]:
        return Refused(command, "insufficient_points", book.balances())
    taken = book.first_expiring(command.points, LOTS_PER_HOLD_MAX)
    if sum(part for _, part in taken) < command.points:
        return Refused(command, "too_many_lots", book.balances())
    parts = tuple(HoldPart(lot, part) for lot, part in taken)
    book.holds[command.hold_id] = Hold(command.hold_id, book.account.account_id, parts, command.points)
    for lot, part in taken:
        book.move(RESERVE, part, command.reference, lot, lot, hold_id=command.hold_id)
    return Posted(command, command.points, book.balances())


def _capture(book: Book, command: Capture) -> Outcome:
    hold = book.holds.get(command.hold_id)
    if hold is None or hold.state != "open":
        return Refused(command, "hold_not_open", book.balances())
    if command.points > hold.reserved:
        return Refused(command, "exceeds_hold", book.balances())
    left, home = command.points, book.home_of(hold)
    taken: list[tuple[Lot, int]] = []
    for part in hold.parts:
        if points := min(left, part.reserved):
            partner_id = command.partner_id
            taken.append((part.lot, points))
            home.move(CAPTURE, points, command.reference, part.lot, None, partner_id, hold.hold_id)
            part.reserved -= points
            part.captured += points
            left -= points
    if left:
        raise LedgerBrokenError(f"hold {hold.hold_id}: its lots lack {left} points of what it reserves")
    hold.reserved -= command.points
    hold.captured += command.points
    released = 0 if command.keep_rest else book.give_back(hold, VOID, command.reference)
    if not hold.reserved:
        hold.state = "captured"
    cleared = book.settle(command.reference)
    return Posted(
        command,
        command.points,
        book.balances(),
        debt_cleared=cleared,
        released=released,
        issuers=_issuers_of(taken),
    )


def _void(book: Book, command: Void) -> Outcome:
    hold = book.holds.get(command.hold_id)
    if hold is None or hold.state != "open":
        return Refused(command, "hold_not_open", book.balances())
    is_void = command.purpose == "void"
    points = book.give_back(hold, VOID if is_void else EXPIRE, command.reference)
    hold.state = "voided" if is_void else "expired"
    cleared = book.settle(command.reference)
    return Posted(command, points, book.balances(), debt_cleared=cleared, released=points)


def _spend_late(book: Book, command: SpendLate) -> Outcome:
    points = min(command.points, book.balance["available"])
    taken = book.first_expiring(points)
    for lot, part in taken:
        book.move(SPEND_LATE, part, command.reference, lot, partner_id=command.partner_id)
    shortfall = command.points - points
    return Posted(command, points, book.balances(), shortfall=shortfall, issuers=_issuers_of(taken))


def _issuers_of(taken: Iterable[tuple[Lot, int]]) -> tuple[tuple[str, int], ...]:
    points: dict[str, int] = {}
    for lot, part in taken:
        points[lot.terms.issuer] = points.get(lot.terms.issuer, 0) + part
    return tuple(sorted(points.items()))


def fold(outcomes: list[Outcome], transfers: list[Transfer], books: Iterable[Book]) -> Plan:
    """What to write of these books, whose moves are ``transfers``."""
    folded = Plan(outcomes, transfers, [], [], [], [], [])
    for book in books:
        (account_id, available, held, pending, debt), now = book.account, book.balances()
        if now != (available, held, pending, debt):
            change = AccountChange(account_id, now[0] - available, now[1] - held, now[2] - pending, now[3] - debt)
            folded.accounts.append(change)
        for lot in book.lots.values():
            if lot.stored is None:
                folded.credited_lots.append(lot)
            elif (lot.remaining, lot.reserved) != (lot.stored.remaining, lot.stored.reserved):
                folded.stored_lots.append(lot)
        for hold in book.holds.values():
            (folded.stored_holds if hold.is_stored else folded.new_holds).append(hold)
    return folded
