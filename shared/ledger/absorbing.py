"""Decides what becomes of the points of two owners who turned out to be one. Pure, like ``planning``.

All that is available or pending goes to the survivor's lots of the same keys, one transfer a lot; what is owed goes
too, and is cleared from what the two have together. Open holds stay: their account is absorbed, not closed.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from shared.ledger import debts
from shared.ledger.book import Book, LedgerBrokenError
from shared.ledger.debts import StoredDebt
from shared.ledger.expiring import lapse
from shared.ledger.legs import MERGE_AVAILABLE, MERGE_DEBT, MERGE_PENDING
from shared.ledger.planning import Plan, fold
from shared.ledger.records import Account, Balances, StoredLot, Transfer
from shared.ledger.terms import lapse_bound


class MergingAccounts(NamedTuple):
    """Both owners' accounts of one point type, read under their locks."""

    point_type: str
    merged: Account
    survivor: Account


class MergedPoints(NamedTuple):
    """What went to the survivor, of one point type.

    ``debt`` was owed by the merged owner; ``debt_cleared`` of what both owed was cleared at once. ``balance`` is the
    survivor's account just after.
    """

    point_type: str
    available: int
    pending: int
    debt: int
    debt_cleared: int
    balance: Balances


def plan_merge(
    pairs: Sequence[MergingAccounts],
    lots: Iterable[StoredLot],
    owed: Iterable[StoredDebt],
    reference: bytes,
    today: date | None = None,
) -> tuple[Plan, list[MergedPoints]]:
    """Hand everything that is not held over to the survivor.

    ``lots`` are the merged accounts' that have anything remaining and, where a survivor has points and the merged one
    owes, the survivor's first ones to be spent that cover it. ``owed`` is what both owe, what began first coming first.
    What may no longer be spent ``today`` lapses before anything else.

    Raises:
        LedgerBrokenError: the lots do not bear out the merged account's balance, or the debts what it owes.
    """
    transfers: list[Transfer] = []
    books = [(Book(pair.merged, transfers), Book(pair.survivor, transfers)) for pair in pairs]
    by_account = {book.account.account_id: book for both in books for book in both}
    for lot in lots:
        by_account[lot.account_id].take_in_lot(lot)
    for debt in owed:
        by_account[debt.account_id].take_in_debt(debt)
    if today is not None:
        for book in by_account.values():
            lapse(book, lapse_bound(today))
    merged = [_absorb(pair, book, survivor, reference) for pair, (book, survivor) in zip(pairs, books, strict=True)]
    return fold([], transfers, by_account.values()), merged


def _absorb(pair: MergingAccounts, book: Book, survivor: Book, reference: bytes) -> MergedPoints:
    for _, lot in sorted(book.lots.items()):
        if lot.remaining:
            legs = MERGE_AVAILABLE if lot.award is None else MERGE_PENDING
            book.hand_over(legs, lot.remaining, reference, survivor, lot)
    if book.balance["available"] or book.balance["pending"]:
        raise LedgerBrokenError(f"account {pair.merged.account_id}: its lots do not bear out what it hands over")
    for owed in book.debts:
        survivor.hand_over(MERGE_DEBT, owed.owed, reference, book, partner_id=owed.issuer)
    survivor.debts = debts.hand_over(book.debts, survivor.debts, survivor.account.account_id)
    if book.balance["debt"]:
        raise LedgerBrokenError(f"account {pair.merged.account_id}: its debts are not what it owes")
    cleared = survivor.settle(reference)
    _, available, _, pending, debt = pair.merged
    return MergedPoints(pair.point_type, available, pending, debt, cleared, survivor.balances())
