"""Decides what a list of commands does to the ledger. Pure: equal arguments give an equal plan.

The plan says what to write, folded: one change an account, one a lot, one a hold, and every transfer in its order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, assert_never
from uuid import UUID

from shared.ledger.book import Account, Book, Hold, HoldPart, LedgerBrokenError, Lot, StoredHold, StoredLot, Transfer
from shared.ledger.commands import (
    LOTS_PER_HOLD_MAX,
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
from shared.ledger.terms import LotTerms, pending_key

AccountKey: TypeAlias = tuple[UUID, str]  # owner and point type


class HoldExistsError(ValueError):
    """A Reserve names a hold that is there already: the caller lost its idempotency record."""


class AccountChange(NamedTuple):
    """What is added to an account's balances; amounts may be negative."""

    account_id: int
    available: int
    held: int
    pending: int
    debt: int


class LotChange(NamedTuple):
    """What is added to a lot. Of one that was not read, both amounts are zero or more, and it may have to be made."""

    account_id: int
    lot_key: bytes
    award: bytes | None
    terms: LotTerms
    remaining: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write, and what to answer: ``outcomes`` are in the order of the commands."""

    outcomes: list[Outcome]
    transfers: list[Transfer]
    accounts: list[AccountChange]
    credited_lots: list[LotChange]
    stored_lots: list[LotChange]
    new_holds: list[Hold]
    stored_holds: list[Hold]


def plan(
    accounts: Mapping[AccountKey, Account],
    lots: Iterable[StoredLot],
    holds: Iterable[StoredHold],
    commands: Sequence[Command],
) -> Plan:
    """Decide ``commands`` in their order, each seeing the effect of those before it.

    ``accounts`` holds every account that the commands name. ``lots`` are, of each account with a command other than
    Earn, those that its commands name and the first ones to be spent, as many as its commands can draw on; of other
    accounts none are needed, since an account in debt has nothing available. ``holds`` are the open ones that are
    named; one that is missing counts as closed.
    """
    transfers: list[Transfer] = []
    books = {key: Book(account, transfers) for key, account in accounts.items()}
    by_account = {book.account.account_id: book for book in books.values()}
    for lot in lots:
        by_account[lot.account_id].take_in_lot(lot)
    for hold in holds:
        if (owner := by_account.get(hold.account_id)) is not None:  # another owner's hold is nobody's here
            owner.take_in_hold(hold)
    outcomes = [decide(books[command.owner_id, command.point_type], command) for command in commands]
    return _fold(outcomes, transfers, books.values())


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
    lot = book.lot_of(command.terms)
    issuer = command.terms.issuer
    book.move("issue", "available", command.points, "earn", command.reference, partner_id=issuer, credit_lot=lot)
    cleared = book.settle(command.reference)
    return Posted(command, command.points, book.balances(), debt_cleared=cleared)


def _claw_back(book: Book, command: ClawBack) -> Outcome:
    left = command.points
    issuer = command.terms.issuer
    pending = book.find_lot(pending_key(command.terms, command.award))
    if pending is not None and (part := min(left, pending.remaining)):
        book.move("pending", "issue", part, "claw_back", command.reference, partner_id=issuer, debit_lot=pending)
        left -= part
    lot = book.find_lot(command.terms.key)
    if lot is not None and (part := min(left, lot.remaining)):
        book.move("available", "issue", part, "claw_back", command.reference, partner_id=issuer, debit_lot=lot)
        left -= part
    if left:
        book.move("debt", "issue", left, "claw_back", command.reference, partner_id=issuer)
    cleared = book.settle(command.reference)
    return Posted(command, command.points, book.balances(), debt_added=left, debt_cleared=cleared)


def _suspend(book: Book, command: Suspend) -> Outcome:
    points = 0
    lot = book.find_lot(command.terms.key)
    if lot is not None and (points := min(command.points, lot.remaining)):
        pending = book.pending_lot_of(command.terms, command.award)
        book.move("available", "pending", points, "suspend", command.reference, debit_lot=lot, credit_lot=pending)
    return Posted(command, points, book.balances(), shortfall=command.points - points)


def _release(book: Book, command: Release) -> Outcome:
    points = cleared = 0
    pending = book.find_lot(pending_key(command.terms, command.award))
    if pending is not None and (points := pending.remaining):
        lot = book.lot_of(command.terms)
        book.move("pending", "available", points, "release", command.reference, debit_lot=pending, credit_lot=lot)
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
    hold = Hold(command.hold_id, book.account.account_id, parts, command.points)
    book.holds[command.hold_id] = hold
    for lot, part in taken:
        book.move(
            "available",
            "held",
            part,
            "reserve",
            command.reference,
            debit_lot=lot,
            credit_lot=lot,
            hold_id=hold.hold_id,
        )
    return Posted(command, command.points, book.balances())


def _capture(book: Book, command: Capture) -> Outcome:
    hold = book.holds.get(command.hold_id)
    if hold is None or hold.state != "open":
        return Refused(command, "hold_not_open", book.balances())
    if command.points > hold.reserved:
        return Refused(command, "exceeds_hold", book.balances())
    left = command.points
    for part in hold.parts:
        if points := min(left, part.reserved):
            book.move(
                "held",
                "redeem",
                points,
                "capture",
                command.reference,
                partner_id=command.partner_id,
                debit_lot=part.lot,
                hold_id=hold.hold_id,
            )
            part.reserved -= points
            part.captured += points
            left -= points
    if left:
        raise LedgerBrokenError(f"hold {hold.hold_id}: its lots lack {left} points of what it reserves")
    hold.reserved -= command.points
    hold.captured += command.points
    released = 0 if command.keep_rest else book.give_back(hold, "void", command.reference)
    if not hold.reserved:
        hold.state = "captured"
    cleared = book.settle(command.reference)
    return Posted(command, command.points, book.balances(), debt_cleared=cleared, released=released)


def _void(book: Book, command: Void) -> Outcome:
    hold = book.holds.get(command.hold_id)
    if hold is None or hold.state != "open":
        return Refused(command, "hold_not_open", book.balances())
    points = book.give_back(hold, command.purpose, command.reference)
    hold.state = "voided" if command.purpose == "void" else "expired"
    cleared = book.settle(command.reference)
    return Posted(command, points, book.balances(), debt_cleared=cleared, released=points)


def _spend_late(book: Book, command: SpendLate) -> Outcome:
    points = min(command.points, book.balance["available"])
    for lot, part in book.first_expiring(points):
        book.move(
            "available",
            "redeem",
            part,
            "spend_late",
            command.reference,
            partner_id=command.partner_id,
            debit_lot=lot,
        )
    return Posted(command, points, book.balances(), shortfall=command.points - points)


def _fold(outcomes: list[Outcome], transfers: list[Transfer], books: Iterable[Book]) -> Plan:
    folded = Plan(outcomes, transfers, [], [], [], [], [])
    for book in books:
        account, now = book.account, book.balances()
        change = AccountChange(
            account.account_id,
            now.available - account.available,
            now.held - account.held,
            now.pending - account.pending,
            now.debt - account.debt,
        )
        if any(change[1:]):
            folded.accounts.append(change)
        for lot in book.lots.values():
            _fold_lot(account.account_id, lot, folded)
        for hold in book.holds.values():
            (folded.stored_holds if hold.is_stored else folded.new_holds).append(hold)
    return folded


def _fold_lot(account_id: int, lot: Lot, folded: Plan) -> None:
    stored = lot.stored
    if stored is None:
        folded.credited_lots.append(LotChange(account_id, lot.key, lot.award, lot.terms, lot.remaining, lot.reserved))
        return
    remaining, reserved = lot.remaining - stored.remaining, lot.reserved - stored.reserved
    if remaining or reserved:
        folded.stored_lots.append(LotChange(account_id, lot.key, lot.award, lot.terms, remaining, reserved))
