"""Decides what time does to points: lapsed, and given back. Pure: each works on its owner's book.

A lot's points may be spent up to the last second before its day of expiry, and not a moment longer: whether a job came
by meanwhile makes no difference, because whatever moves points of an account lets those lapse first whose day has come.
"""

from dataclasses import replace
from datetime import date
from typing import assert_never

from shared.ledger.book import Book
from shared.ledger.corrections import Expire, Reinstate
from shared.ledger.legs import EXPIRE_POINTS, PROLONG, REINSTATE
from shared.ledger.outcomes import Outcome, Posted
from shared.ledger.taken import funded_of, issuers_of


def decide(book: Book, command: Expire | Reinstate) -> Outcome:
    """Apply one of these."""
    match command:
        case Expire():
            return expire(book, command)
        case Reinstate():
            return reinstate(book, command)
        case _:
            assert_never(command)


def lapse_reference(expires_on: date) -> bytes:
    """What transfers to breakage bear: the day on which the points could no longer be spent."""
    return b"expire:" + expires_on.isoformat().encode()


def lapse(book: Book, bound: bytes) -> int:
    """Let whatever is known to be left in lots below ``bound`` lapse, and note it: nobody has been told of it yet."""
    lapsed = 0
    for key in sorted(key for key, lot in book.lots.items() if key < bound and lot.award is None and lot.remaining > 0):
        lot = book.lots[key]
        points, expires_on = lot.remaining, lot.terms.expires_on
        if expires_on is None:
            raise AssertionError("unreachable: a lot that never expires has the highest key")
        book.move(EXPIRE_POINTS, points, lapse_reference(expires_on), lot)
        book.lapsed[key] = book.lapsed.get(key, 0) + points
        lapsed += points
    return lapsed


def prolong(book: Book, bound: bytes, expires_on: date, reference: bytes) -> None:
    """Give whatever is known to be left in lots below ``bound`` until ``expires_on``: all that had lapsed is gone, so
    it has just come back. It goes to lots that differ in that day alone."""
    for key in sorted(key for key, lot in book.lots.items() if key < bound and lot.award is None and lot.remaining > 0):
        lot, into = book.lots[key], book.lot_of(replace(book.lots[key].terms, expires_on=expires_on))
        book.take_in_refunded(reference, into.key, lot.remaining)
        book.move(PROLONG, lot.remaining, reference, lot, into)


def expire(book: Book, command: Expire) -> Outcome:
    """Let what is left in a lot lapse."""
    lot = book.find_lot(command.terms.key)
    if lot is None or not lot.remaining:
        return Posted(command, 0, book.balances())
    points = lot.remaining
    book.move(EXPIRE_POINTS, points, command.reference, lot)
    taken = [(lot, points)]
    return Posted(command, points, book.balances(), issuers=issuers_of(taken), funded=funded_of(taken))


def reinstate(book: Book, command: Reinstate) -> Outcome:
    """Give back what lapsed, and clear what is owed from it."""
    book.move(REINSTATE, command.points, command.reference, None, book.lot_of(command.terms))
    cleared = book.settle(command.reference)
    return Posted(command, command.points, book.balances(), debt_cleared=cleared)
