"""Decides what people correct: points given or taken by hand, debt forgiven. Pure: each works on its owner's book."""

from typing import assert_never

from shared.ledger.book import Book
from shared.ledger.corrections import AdjustDown, AdjustUp, WriteOff
from shared.ledger.legs import ADJUST_DOWN, ADJUST_UP, WRITE_OFF
from shared.ledger.outcomes import Outcome, Posted, Refused
from shared.ledger.taken import funded_of, issuers_of


def decide(book: Book, command: AdjustUp | AdjustDown | WriteOff) -> Outcome:
    """Apply one of these."""
    match command:
        case AdjustUp():
            return adjust_up(book, command)
        case AdjustDown():
            return adjust_down(book, command)
        case WriteOff():
            return write_off(book, command)
        case _:
            assert_never(command)


def adjust_up(book: Book, command: AdjustUp) -> Outcome:
    """Give points to the lot of their terms, and clear what is owed from them."""
    book.move(ADJUST_UP, command.points, command.reference, None, book.lot_of(command.terms))
    cleared = book.settle(command.reference)
    return Posted(command, command.points, book.balances(), debt_cleared=cleared)


def adjust_down(book: Book, command: AdjustDown) -> Outcome:
    """Take points of what is available, or refuse it."""
    points = min(command.points, book.balance["available"])
    if points < command.points and not command.is_partial:
        return Refused(command, "insufficient_points", book.balances())
    taken = book.first_expiring(points)
    for lot, part in taken:
        book.move(ADJUST_DOWN, part, command.reference, lot)
    shortfall = command.points - points
    issuers, funded = issuers_of(taken), funded_of(taken)
    return Posted(command, points, book.balances(), shortfall=shortfall, issuers=issuers, funded=funded)


def write_off(book: Book, command: WriteOff) -> Outcome:
    """Forgive what is still owed of these points."""
    points = min(command.points, -book.balance["debt"])
    forgiven: dict[str, int] = {}
    for issuer, part in book.pay(points):
        book.move(WRITE_OFF, part, command.reference, partner_id=issuer)
        forgiven[issuer] = forgiven.get(issuer, 0) + part
    shortfall = command.points - points
    return Posted(command, points, book.balances(), shortfall=shortfall, issuers=tuple(sorted(forgiven.items())))
