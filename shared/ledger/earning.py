"""Decides what becomes of awards: earned at once or later, taken back, set aside, released. Pure: each
works on its owner's book.
"""

from typing import assert_never

from shared.ledger.book import Book
from shared.ledger.commands import ClawBack, Earn, EarnPending, Release, Suspend
from shared.ledger.drawing import NONE_SPARED
from shared.ledger.legs import (
    CLAW_BACK_AVAILABLE,
    CLAW_BACK_PENDING,
    EARN,
    EARN_PENDING,
    RELEASE,
    SUSPEND,
)
from shared.ledger.outcomes import Outcome, Posted, Refused
from shared.ledger.terms import pending_key


def decide(book: Book, command: EarnPending | ClawBack | Suspend | Release) -> Outcome:
    """Apply one of these; plain earning has no detour."""
    match command:
        case EarnPending():
            return earn_pending(book, command)
        case ClawBack():
            return claw_back(book, command)
        case Suspend():
            return suspend(book, command)
        case Release():
            return release(book, command)
        case _:
            assert_never(command)


def earn(book: Book, command: Earn) -> Outcome:
    """Issue points to the lot of their terms, and clear what is owed from them."""
    points, terms = command.points, command.terms
    if command.balance_max is not None and (room := book.room(command.balance_max)) < points:
        if not room:
            return Posted(command, 0, book.balances(), trimmed=points)
        points = room
    book.move(EARN, points, command.reference, None, book.lot_of(terms), terms.issuer)
    cleared = book.settle(command.reference) if book.balance["debt"] else 0
    posted = Posted(command, points, book.balances(), 0, 0, cleared)
    return posted if points == command.points else posted._replace(trimmed=command.points - points)


def earn_pending(book: Book, command: EarnPending) -> Outcome:
    """Issue points to their award's own lot, where they wait."""
    asked, terms = command.points, command.terms
    points = asked if command.balance_max is None else min(asked, book.room(command.balance_max))
    if points:
        lot = book.pending_lot_of(terms, command.award)
        book.move(EARN_PENDING, points, command.reference, None, lot, terms.issuer)
    return Posted(command, points, book.balances(), trimmed=asked - points)


def claw_back(book: Book, command: ClawBack) -> Outcome:
    """Take an award back: from its pending lot, from the lot of its terms, the rest as debt, if the policy lets it."""
    reference, issuer = command.reference, command.terms.issuer
    pending = book.find_lot(pending_key(command.terms, command.award))
    asked = points = command.points - command.kept
    spared = book.left_of_refunds(reference) if command.spares_refunds else NONE_SPARED
    # Where anything is available nothing is owed, so that all of it is there for this, but what is spared.
    there = book.balance["available"] - sum(spared.values()) + (0 if pending is None else pending.remaining)
    lacking = max(0, points - there)
    is_left = command.policy == "clip" or book.lacking.is_forgiven(command.forgiving, lacking)
    if lacking and not is_left:
        if command.policy == "refuse":
            return Refused(command, "insufficient_points", book.balances())
        spared = NONE_SPARED  # it is owed, and whatever comes back pays it
    book.lacking.add(command.forgiving, lacking)
    left = points = points - lacking if is_left else points
    if pending is not None and (part := min(left, pending.remaining)):
        book.move(CLAW_BACK_PENDING, part, reference, pending, partner_id=issuer)
        left -= part
    lot = book.find_lot(command.terms.key)
    if lot is not None and (part := min(left, lot.remaining - spared.get(lot.key, 0))):
        book.move(CLAW_BACK_AVAILABLE, part, reference, lot, partner_id=issuer)
        left -= part
    if left:
        book.owe(left, reference, issuer)
    cleared = book.settle(reference, spared)
    posted = Posted(command, points, book.balances(), asked - points, left, cleared)
    return posted if command.forgiving is None else posted._replace(lacking=lacking)


def suspend(book: Book, command: Suspend) -> Outcome:
    """Set what is left of an award aside. What is aside already stays so, and is not taken of others in its lot."""
    points = 0
    aside = book.find_lot(pending_key(command.terms, command.award))
    wanted = command.points if aside is None else max(0, command.points - aside.remaining)
    lot = book.find_lot(command.terms.key)
    if lot is not None and (points := min(wanted, lot.remaining)):
        book.move(SUSPEND, points, command.reference, lot, book.pending_lot_of(command.terms, command.award))
    return Posted(command, points, book.balances(), shortfall=wanted - points)


def release(book: Book, command: Release) -> Outcome:
    """Give back what is pending of an award."""
    points = cleared = 0
    pending = book.find_lot(pending_key(command.terms, command.award))
    if pending is not None and (points := pending.remaining):
        book.move(RELEASE, points, command.reference, pending, book.lot_of(command.into or command.terms))
        cleared = book.settle(command.reference)
    return Posted(command, points, book.balances(), debt_cleared=cleared)
