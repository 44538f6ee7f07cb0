"""Decides what becomes of points that one living owner gives to another. Pure: it works on both owners' books."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from shared.ledger.book import Book
from shared.ledger.commands import Command
from shared.ledger.gifts import GIFT_BASIS, Give
from shared.ledger.legs import GIFT, LEAVE
from shared.ledger.outcomes import Outcome, Posted, Refused
from shared.ledger.records import Lot
from shared.ledger.taken import funded_of, issuers_of


def answered_by(command: Command, survivors: Mapping[UUID, UUID]) -> Command:
    """The same command, asked of whoever answers by now for owners that were merged away."""
    owner_id = survivors.get(command.owner_id, command.owner_id)
    if isinstance(command, Give):
        receiver_id = survivors.get(command.receiver_id, command.receiver_id)
        return replace(command, owner_id=owner_id, receiver_id=receiver_id)
    return replace(command, owner_id=owner_id)


def give(book: Book, receiver: Book, command: Give) -> Outcome:
    """Hand points over, first expiring first, and clear what the receiver owes from them."""
    if book is receiver:
        return Refused(command, "same_owner", book.balances())
    available = book.balance["available"]
    asked = available if command.points is None else command.points
    if asked > available and not command.is_partial:
        return Refused(command, "insufficient_points", book.balances())
    points = min(asked, available)
    taken = book.first_expiring(points, dict(command.spared))
    legs = GIFT if command.purpose == "gift" else LEAVE
    for lot, part in taken:
        book.hand_over(legs, part, command.reference, receiver, lot, _into(receiver, lot, command))
    cleared = receiver.settle(command.reference)
    return Posted(
        command,
        points,
        book.balances(),
        shortfall=asked - points,
        debt_cleared=cleared,
        issuers=issuers_of(taken),
        receiver=receiver.balances(),
        funded=funded_of(taken),
    )


def _into(receiver: Book, lot: Lot, command: Give) -> Lot:
    """The receiver's lot that the points of this one come to."""
    if command.purpose == "gift":
        return receiver.lot_of(replace(lot.terms, basis=GIFT_BASIS))
    return receiver.lot_like(lot)
