"""Decides what time does to points: lapsed, and given back. Pure: each works on its owner's book."""

from typing import assert_never

from shared.ledger.book import Book, issuers_of
from shared.ledger.commands import Outcome, Posted
from shared.ledger.corrections import Expire, Reinstate
from shared.ledger.legs import EXPIRE_POINTS, REINSTATE


def decide(book: Book, command: Expire | Reinstate) -> Outcome:
    """Apply one of these."""
    match command:
        case Expire():
            return expire(book, command)
        case Reinstate():
            return reinstate(book, command)
        case _:
            assert_never(command)


def expire(book: Book, command: Expire) -> Outcome:
    """Let what is left in a lot lapse."""
    lot = book.find_lot(command.terms.key)
    if lot is None or not lot.remaining:
        return Posted(command, 0, book.balances())
    points = lot.remaining
    book.move(EXPIRE_POINTS, points, command.reference, lot)
    return Posted(command, points, book.balances(), issuers=issuers_of([(lot, points)]))


def reinstate(book: Book, command: Reinstate) -> Outcome:
    """Give back what lapsed, and clear what is owed from it."""
    book.move(REINSTATE, command.points, command.reference, None, book.lot_of(command.terms))
    cleared = book.settle(command.reference)
    return Posted(command, command.points, book.balances(), debt_cleared=cleared)
