"""Decides what becomes of points that are spent: reserved, captured, let go, taken late, refunded. Pure: each
works on its owner's book.
"""

from typing import assert_never

from shared.ledger.book import Book, LedgerBrokenError
from shared.ledger.commands import LOTS_PER_HOLD_MAX, Capture, Reserve, SpendLate, Void
from shared.ledger.corrections import Refund, RefundOwed
from shared.ledger.debts import owed_name
from shared.ledger.legs import (
    CAPTURE,
    EXPIRE,
    MERGE_AVAILABLE,
    REFUND,
    REFUND_OWED,
    REFUND_PAID,
    RESERVE,
    SPEND_LATE,
    VOID,
)
from shared.ledger.outcomes import Outcome, Posted, Refused
from shared.ledger.records import Hold, HoldPart, Lot
from shared.ledger.taken import funded_of, issuers_of, limited_of


class HoldExistsError(ValueError):
    """A command makes a hold that is there already: the caller lost its idempotency record."""


def decide(book: Book, command: Reserve | Capture | Void | SpendLate | Refund | RefundOwed) -> Outcome:
    """Apply one of these."""
    match command:
        case Reserve():
            return reserve(book, command)
        case Capture():
            return capture(book, command)
        case Void():
            return void(book, command)
        case SpendLate():
            return spend_late(book, command)
        case Refund():
            return refund(book, command)
        case RefundOwed():
            return refund_owed(book, command)
        case _:
            assert_never(command)


def reserve(book: Book, command: Reserve) -> Outcome:
    """Open a hold, or refuse it."""
    if command.hold_id in book.holds:
        raise HoldExistsError(f"hold {command.hold_id} is reserved twice")
    if command.points > book.balance["available"]:
        return Refused(command, "insufficient_points", book.balances())
    taken = book.spendable(command.points, command.basket, LOTS_PER_HOLD_MAX)
    if sum(part for _, part in taken) < command.points:
        is_full = len(taken) == LOTS_PER_HOLD_MAX
        return Refused(command, "too_many_lots" if is_full else "insufficient_points", book.balances())
    parts = tuple(HoldPart(lot, part) for lot, part in taken)
    book.holds[command.hold_id] = Hold(command.hold_id, book.account.account_id, parts, command.points)
    for lot, part in taken:
        book.move(RESERVE, part, command.reference, lot, lot, hold_id=command.hold_id)
    return Posted(command, command.points, book.balances())


def capture(book: Book, command: Capture) -> Outcome:
    """Take points of an open hold for a partner."""
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
    hold.is_changed = True
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
        issuers=issuers_of(taken),
        funded=funded_of(taken),
        limited=limited_of(taken),
    )


def void(book: Book, command: Void) -> Outcome:
    """Let an open hold go, or a part of it."""
    hold = book.holds.get(command.hold_id)
    if hold is None or hold.state != "open":
        return Refused(command, "hold_not_open", book.balances())
    if command.points is not None and command.points > hold.reserved:
        return Refused(command, "exceeds_hold", book.balances())
    is_void = command.purpose == "void"
    points = book.give_back(hold, VOID if is_void else EXPIRE, command.reference, command.points)
    if not hold.reserved:
        hold.state = "voided" if is_void else "expired"
    cleared = book.settle(command.reference)
    return Posted(command, points, book.balances(), debt_cleared=cleared, released=points)


def spend_late(book: Book, command: SpendLate) -> Outcome:
    """Take what there is, without a hold; what is not there is the shortfall, or is owed."""
    if command.taken_as in book.holds:
        raise HoldExistsError(f"points are taken twice as {command.taken_as}")
    taken = book.spendable(min(command.points, book.balance["available"]), command.basket)
    points = sum(part for _, part in taken)
    for lot, part in taken:
        book.move(SPEND_LATE, part, command.reference, lot, None, command.partner_id, command.taken_as)
    if command.taken_as is not None and points:
        parts = tuple(HoldPart(lot, 0, part) for lot, part in taken)
        book.holds[command.taken_as] = Hold(
            command.taken_as, book.account.account_id, parts, reserved=0, captured=points, state="captured"
        )
    shortfall = command.points - points
    issuers, funded = issuers_of(taken), funded_of(taken)
    if not command.owes or command.taken_as is None or not shortfall:
        return Posted(command, points, book.balances(), shortfall=shortfall, issuers=issuers, funded=funded)
    book.owe_for_purchase(shortfall, command.reference, command.partner_id, command.taken_as)
    cleared = book.settle(command.reference)  # from what this basket may not use
    return Posted(
        command,
        points,
        book.balances(),
        debt_added=shortfall,
        debt_cleared=cleared,
        issuers=issuers,
        funded=funded,
    )


def refund(book: Book, command: Refund) -> Outcome:
    """Give captured points back to their lots, the last captured first."""
    hold = book.holds.get(command.hold_id)
    if hold is None or command.points > hold.captured - sum(part.refunded for part in hold.parts):
        return Refused(command, "exceeds_captured", book.balances())
    left, home = command.points, book.home_of(hold)
    given: list[tuple[Lot, int]] = []
    for part in reversed(hold.parts):
        if points := min(left, part.captured - part.refunded):
            home.move(REFUND, points, command.reference, None, part.lot, command.partner_id, hold.hold_id)
            if home is not book:  # nothing can be spent where it was taken: the owner was merged away since
                home.hand_over(MERGE_AVAILABLE, points, command.reference, book, part.lot)
            part.refunded += points
            given.append((part.lot, points))
            book.take_in_refunded(command.reference, part.lot.key, points)
            left -= points
    if left:
        raise LedgerBrokenError(f"hold {hold.hold_id}: its lots lack {left} points of what it captured")
    hold.is_changed = True
    cleared = book.settle(command.reference)
    issuers, funded = issuers_of(given), funded_of(given)
    return Posted(command, command.points, book.balances(), debt_cleared=cleared, issuers=issuers, funded=funded)


def refund_owed(book: Book, command: RefundOwed) -> Outcome:
    """Let what a purchase made the owner owe be owed no more; what was paid of it comes back."""
    partner_id = command.partner_id
    forgiven = book.owe_no_more(command.points, owed_name(command.owed_as), partner_id)
    if forgiven:
        book.move(REFUND_OWED, forgiven, command.reference, partner_id=partner_id)
    if paid := command.points - forgiven:
        book.move(REFUND_PAID, paid, command.reference, None, book.lot_of(command.terms), partner_id)
        book.take_in_refunded(command.reference, command.terms.key, paid)
    cleared = book.settle(command.reference)
    return Posted(command, command.points, book.balances(), debt_cleared=cleared)
