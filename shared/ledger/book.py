"""One account while commands are decided on it: balances, lots and holds, and the one way to move points.

Everything goes through ``Book.move``: it writes the transfer and changes the balance and the lot on both of its legs,
so that they cannot disagree. Pure: a book knows what it was given and nothing else.
"""

from collections.abc import Mapping
from uuid import UUID

from shared.ledger.conditions import Basket
from shared.ledger.debts import Debt, StoredDebt, debt_of, next_paid, owed_name, pay
from shared.ledger.drawing import NONE_SPARED, draw, may_use
from shared.ledger.forgiving import Lacking
from shared.ledger.legs import CLAW_BACK_OWED, CLEAR_DEBT, MERGE_AVAILABLE, SPEND_OWED, Legs, Position
from shared.ledger.records import Account, Balances, Hold, HoldPart, Lot, StoredHold, StoredLot, Transfer
from shared.ledger.terms import LotTerms, pending_key


class LedgerBrokenError(RuntimeError):
    """Lots or debts do not bear out the balance. Nothing was written; ``tessera ledger verify`` names what is wrong."""


class Book:
    """One account's working state. ``transfers`` is where this book's moves are written down, in their order.

    ``absorbed`` are the books of accounts that were merged into this one and still have holds of their own.
    """

    __slots__ = (
        "absorbed",
        "account",
        "balance",
        "debts",
        "holds",
        "lacking",
        "lapsed",
        "lots",
        "refunded",
        "transfers",
    )

    def __init__(self, account: Account, transfers: list[Transfer]) -> None:
        self.account = account
        self.transfers = transfers
        self.balance: dict[Position, int] = {
            "available": account.available,
            "held": account.held,
            "pending": account.pending,
            "debt": -account.debt,
            "issue": 0,
            "redeem": 0,
            "breakage": 0,
            "adjustment": 0,
        }
        self.lots: dict[bytes, Lot] = {}
        self.holds: dict[UUID, Hold] = {}
        self.absorbed: dict[int, Book] = {}
        self.debts: list[Debt] = []
        self.lapsed: dict[bytes, int] = {}  # points by lot key, of what lapsed in passing
        self.refunded: dict[bytes, dict[bytes, int]] = {}  # by reference: points by lot key, of what came back
        self.lacking = Lacking()

    def balances(self) -> Balances:
        """The balances now, debt as a positive amount."""
        balance = self.balance
        return Balances(balance["available"], balance["held"], balance["pending"], -balance["debt"])

    def room(self, balance_max: int) -> int:
        """How many points can be earned under a cap on the balance: what is available, held and pending, less what is
        owed, is at most ``balance_max`` afterwards. What holds from before a merge reserve is not known here.
        """
        balance = self.balance
        had = balance["available"] + balance["held"] + balance["pending"] + balance["debt"]  # debt stands below zero
        return max(0, balance_max - had)

    def take_in_lot(self, stored: StoredLot) -> Lot:
        """Know a lot as it was read; reading it twice changes nothing."""
        lot = self.lots.get(stored.lot_key)
        if lot is None:
            lot = Lot(*stored, stored)
            self.lots[stored.lot_key] = lot
        return lot

    def take_in_debt(self, stored: StoredDebt) -> None:
        """Know a debt as it was read; those that began first are taken in first."""
        self.debts.append(debt_of(stored))

    def take_in_hold(self, stored: StoredHold) -> None:
        """Know a hold, of this account or of one that was absorbed, and its lots as they were read."""
        home = self.home_of(stored)
        parts = [HoldPart(home.take_in_lot(part.lot), *part[1:]) for part in stored.parts]
        parts.sort(key=lambda part: part.lot.turn)
        hold_id, account_id, reserved, captured, _, state = stored
        self.holds[hold_id] = Hold(hold_id, account_id, tuple(parts), reserved, captured, state, is_stored=True)

    def home_of(self, hold: "Hold | StoredHold") -> "Book":
        """The book whose lots a hold reserves: this one, or an absorbed account's."""
        return self if hold.account_id == self.account.account_id else self.absorbed[hold.account_id]

    def lot_of(self, terms: LotTerms) -> Lot:
        """The available lot of these terms, made if it is not known. Only for points that are about to arrive."""
        lot = self.lots.get(terms.key)
        if lot is None:
            lot = self.lots[terms.key] = Lot(self.account.account_id, terms.key, None, terms)
        return lot

    def pending_lot_of(self, terms: LotTerms, award: bytes) -> Lot:
        """The lot in which this award's points wait, made if it is not known. Only for points about to arrive."""
        key = pending_key(terms, award)
        lot = self.lots.get(key)
        if lot is None:
            lot = self.lots[key] = Lot(self.account.account_id, key, award, terms)
        return lot

    def find_lot(self, key: bytes) -> Lot | None:
        """A lot that may have points to take; None has none."""
        return self.lots.get(key)

    def move(
        self,
        legs: Legs,
        points: int,
        reference: bytes,
        debit_lot: Lot | None = None,
        credit_lot: Lot | None = None,
        partner_id: str | None = None,
        hold_id: UUID | None = None,
    ) -> None:
        """Move points from one position to another, on the balance and on the lots, and write the transfer down."""
        _, debit, credit = legs
        self.balance[debit] -= points
        self.balance[credit] += points
        debit_key = credit_key = None
        if debit_lot is not None:
            debit_key = debit_lot.key
            if debit == "held":
                debit_lot.reserved -= points
            else:
                debit_lot.remaining -= points
        if credit_lot is not None:
            credit_key = credit_lot.key
            if credit == "held":
                credit_lot.reserved += points
            else:
                credit_lot.remaining += points
        account_id = self.account.account_id
        self.transfers.append(Transfer(account_id, legs, partner_id, points, reference, debit_key, credit_key, hold_id))

    def hand_over(
        self,
        legs: Legs,
        points: int,
        reference: bytes,
        to: "Book",
        lot: Lot | None = None,
        into: Lot | None = None,
        partner_id: str | None = None,
    ) -> None:
        """Move points to the same position of another account, and a lot's to the lot ``into`` there: the one of the
        same key, unless another is named.
        """
        _, debit, credit = legs
        self.balance[debit] -= points
        to.balance[credit] += points
        debit_key = credit_key = None
        if lot is not None:
            into = into or to.lot_like(lot)
            debit_key, credit_key = lot.key, into.key
            lot.remaining -= points
            into.remaining += points
        account_id, credit_account_id = self.account.account_id, to.account.account_id
        self.transfers.append(
            Transfer(account_id, legs, partner_id, points, reference, debit_key, credit_key, None, credit_account_id)
        )

    def lot_like(self, other: Lot) -> Lot:
        """This account's lot with the key of another account's, made if it is not known."""
        lot = self.lots.get(other.key)
        if lot is None:
            lot = self.lots[other.key] = Lot(self.account.account_id, other.key, other.award, other.terms)
        return lot

    def first_expiring(self, points: int, spared: Mapping[bytes, int] = NONE_SPARED) -> list[tuple[Lot, int]]:
        """The lots that ``points`` come from and how much of each, whatever limits they have; moves nothing. So much of
        the lots that are ``spared``, by key, is left alone.

        Raises:
            LedgerBrokenError: the lots hold less than the balance says.
        """
        taken, left = draw([self.lots[key] for key in sorted(self._remaining())], points, None, spared)
        if left:
            raise LedgerBrokenError(f"account {self.account.account_id}: its lots lack {left} points of its balance")
        return taken

    def spendable(self, points: int, basket: Basket | None, lots_max: int | None = None) -> list[tuple[Lot, int]]:
        """The lots that ``points`` spent on this basket come from and how much of each, in the order of spending.

        Covers less where ``lots_max`` lots do not hold enough, or limits keep the rest from this basket; from one that
        is not known they keep all that they limit. Moves nothing.

        Raises:
            LedgerBrokenError: the lots hold less than the balance says.
        """
        usable = [lot for lot in map(self.lots.__getitem__, self._remaining()) if may_use(lot, basket)]
        taken, left = draw(sorted(usable, key=lambda lot: lot.turn), points, lots_max)
        if left and len(taken) != lots_max:  # then every lot that has anything is known
            lack = self.balance["available"] - sum(self.lots[key].remaining for key in self._remaining())
            if lack:
                raise LedgerBrokenError(
                    f"account {self.account.account_id}: its lots lack {lack} points of its balance"
                )
        return taken

    def _remaining(self) -> list[bytes]:
        return [key for key, lot in self.lots.items() if lot.award is None and lot.remaining > 0]

    def take_in_refunded(self, reference: bytes, lot_key: bytes, points: int) -> None:
        """Know that so much came back to a lot under a reference."""
        of_reference = self.refunded.setdefault(reference, {})
        of_reference[lot_key] = of_reference.get(lot_key, 0) + points

    def left_of_refunds(self, reference: bytes) -> dict[bytes, int]:
        """What came back under a reference and is still in its lots, by lot key."""
        return {
            key: min(points, self.lots[key].remaining)
            for key, points in self.refunded.get(reference, {}).items()
            if key in self.lots
        }

    def settle(self, reference: bytes, spared: Mapping[bytes, int] = NONE_SPARED) -> int:
        """Clear the debt from what is available, first expiring first and the oldest debt first. So much of the lots
        that are ``spared`` is left alone: the caller knows that others cover what is owed.

        Each transfer names the issuer whose claw-back it pays. Returns how much was cleared.
        """
        points = min(self.balance["available"], -self.balance["debt"])
        if points:
            paid = self.pay(points)
            for lot, part in self.first_expiring(points, spared):
                for issuer, share in next_paid(paid, part):
                    self.move(CLEAR_DEBT, share, reference, lot, None, issuer)
        return points

    def owe(self, points: int, reference: bytes, issuer: str) -> None:
        """Owe what a claw-back of this issuer's could not take, until something comes in."""
        self.move(CLAW_BACK_OWED, points, reference, partner_id=issuer)
        self.debts.append(Debt(self.account.account_id, issuer, reference, points))

    def owe_for_purchase(self, points: int, reference: bytes, partner_id: str, taken_as: UUID) -> None:
        """Owe what a purchase took that was not there. The debt has a name of its own: a claw-back may bear the
        receipt's, and have the same issuer."""
        self.move(SPEND_OWED, points, reference, partner_id=partner_id)
        self.debts.append(Debt(self.account.account_id, partner_id, owed_name(taken_as), points))

    def owe_no_more(self, points: int, reference: bytes, issuer: str) -> int:
        """Take up to ``points`` off what is owed to this issuer under this reference; how many. The caller moves
        them."""
        left = points
        for debt in self.debts:
            if (debt.issuer, debt.reference) == (issuer, reference):
                part = min(left, debt.owed)
                debt.owed -= part
                left -= part
        return points - left

    def pay(self, points: int) -> list[tuple[str, int]]:
        """Take ``points`` off the debts, the oldest first; whose they were. The caller moves the points.

        Raises:
            LedgerBrokenError: the debts do not bear out what the balance owes.
        """
        paid = pay(self.debts, points)
        if sum(part for _, part in paid) != points:
            raise LedgerBrokenError(f"account {self.account.account_id}: its debts are less than it owes")
        return paid

    def give_back(self, hold: Hold, legs: Legs, reference: bytes, points: int | None = None) -> int:
        """Return what a hold still reserves to its lots, or ``points`` of it: of the lots that would be captured last.
        Returns how much that was.

        From the lots of an absorbed account it goes on to this one: nothing can be spent there.
        """
        left = points = hold.reserved if points is None else points
        home = self.home_of(hold)
        returned: list[tuple[HoldPart, int]] = []
        for part in reversed(hold.parts):
            if share := min(left, part.reserved):
                returned.append((part, share))
                left -= share
        for part, share in reversed(returned):
            home.move(legs, share, reference, part.lot, part.lot, hold_id=hold.hold_id)
            if home is not self:
                home.hand_over(MERGE_AVAILABLE, share, reference, self, part.lot)
            part.reserved -= share
        hold.reserved -= points
        hold.is_changed = True
        return points
