"""Decides what a list of commands does to the ledger. Pure: equal arguments give an equal plan.

The plan says what to write, folded: one change an account, one a lot, one a hold, and every transfer in its order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, assert_never

from shared.ledger import correcting, earning, expiring, giving, spending
from shared.ledger.book import Book
from shared.ledger.commands import (
    Capture,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
)
from shared.ledger.corrections import AdjustDown, AdjustUp, Expire, Refund, RefundOwed, Reinstate, WriteOff
from shared.ledger.debts import Debt, StoredDebt
from shared.ledger.expiring import lapse, prolong
from shared.ledger.gifts import Give
from shared.ledger.outcomes import Outcome
from shared.ledger.records import Account, AccountKey, Hold, Lapsed, Lot, StoredHold, StoredLot, Transfer
from shared.ledger.refunded import Refunded
from shared.ledger.terms import lapse_bound


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
    ``stored_lots`` were read and have changed. ``lapsed`` is what lapsed in passing: it is told of later.
    """

    outcomes: list[Outcome]
    transfers: list[Transfer]
    accounts: list[AccountChange]
    credited_lots: list[Lot]
    stored_lots: list[Lot]
    new_holds: list[Hold]
    stored_holds: list[Hold]
    new_debts: list[Debt]
    stored_debts: list[Debt]
    lapsed: list[Lapsed]


def plan(
    accounts: Mapping[AccountKey, Account],
    lots: Iterable[StoredLot],
    holds: Iterable[StoredHold],
    commands: Sequence[Command],
    absorbed: Sequence[Absorbed] = (),
    owed: Iterable[StoredDebt] = (),
    today: date | None = None,
    refunded: Iterable[Refunded] = (),
) -> Plan:
    """Decide ``commands`` in their order, each seeing the effect of those before it.

    ``accounts`` holds every account that the commands name, those of receivers too. ``lots`` are, of each account
    with a command other than Earn, those that its commands name and the first ones to be spent, as many as its
    commands can draw on; of other accounts none are needed, since an account in debt has nothing available. ``holds``
    are those that are named; one that is missing counts as closed, with nothing captured. ``absorbed`` are the
    accounts of those among them that are not on their owner's account, because they were opened before it was merged;
    the survivor's lots of their terms are among ``lots`` too. ``owed`` is what those accounts owe that owe anything,
    what began first coming first. ``refunded`` is what came back under references whose claw-backs leave it alone; its
    lots are among ``lots``, and so many more points to be drawn.

    What may no longer be spent ``today`` lapses before anything else happens to its account, and what comes back to
    such a lot lapses at once, unless its command gives it longer. Where something is earned only it stays where it is,
    since no lots are read, unless a cap on the balance would trim what is earned: then the lots that may lapse are
    among ``lots`` too.
    """
    bound = None if today is None else lapse_bound(today)
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
    for debt in owed:
        by_account[debt.account_id].take_in_debt(debt)
    for one in refunded:
        by_account[one.account_id].take_in_refunded(one.reference, one.lot_key, one.points)
    if bound is None:
        outcomes = [decide(books, command) for command in commands]
    else:
        outcomes = [_decide_on_time(books, command, bound) for command in commands]
    return fold(outcomes, transfers, homes)


def _decide_on_time(books: Mapping[AccountKey, Book], command: Command, bound: bytes) -> Outcome:
    """Apply one command between what has lapsed by now and what lapses because it came back too late."""
    book = books[command.owner_id.int, command.point_type]
    if isinstance(command, Earn | EarnPending):
        if command.balance_max is not None and command.points > book.room(command.balance_max):
            lapse(book, bound)  # what may no longer be spent takes nobody's room
        if command.terms.key >= bound:
            return decide(books, command)
    elif isinstance(command, Expire):
        return decide(books, command)
    else:
        lapse(book, bound)
    outcome = decide(books, command)
    if isinstance(command, Void | Capture | Refund) and command.came_back_expires_on is not None:
        prolong(book, bound, command.came_back_expires_on, command.reference)
    return outcome._replace(balance=book.balances()) if lapse(book, bound) else outcome


def decide(books: Mapping[AccountKey, Book], command: Command) -> Outcome:
    """Apply one command to its owner's book; to the receiver's too where points are given."""
    book = books[command.owner_id.int, command.point_type]
    match command:
        case Earn():
            return earning.earn(book, command)
        case EarnPending() | ClawBack() | Suspend() | Release():
            return earning.decide(book, command)
        case Reserve() | Capture() | Void() | SpendLate() | Refund() | RefundOwed():
            return spending.decide(book, command)
        case AdjustUp() | AdjustDown() | WriteOff():
            return correcting.decide(book, command)
        case Expire() | Reinstate():
            return expiring.decide(book, command)
        case Give():
            return giving.give(book, books[command.receiver_id.int, command.point_type], command)
        case _:
            assert_never(command)


def fold(outcomes: list[Outcome], transfers: list[Transfer], books: Iterable[Book]) -> Plan:
    """What to write of these books, whose moves are ``transfers``."""
    folded = Plan(outcomes, transfers, [], [], [], [], [], [], [], [])
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
        if book.holds or book.debts or book.lapsed:
            _fold_others(book, folded)
    return folded


def _fold_others(book: Book, folded: Plan) -> None:
    folded.lapsed.extend(Lapsed(book.account.account_id, key, points) for key, points in book.lapsed.items())
    for hold in book.holds.values():
        if not hold.is_stored:
            folded.new_holds.append(hold)
        elif hold.is_changed:
            folded.stored_holds.append(hold)
    for debt in book.debts:
        if debt.stored is not None and debt.owed != debt.stored.owed:
            folded.stored_debts.append(debt)
        elif debt.stored is None:
            folded.new_debts.append(debt)
