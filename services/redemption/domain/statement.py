"""A member's statement: the ledger's transfers, folded into lines that a person can read."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.ledger import StatementLine
from shared.ledger.legs import (
    ADJUST_DOWN,
    CLAW_BACK_OWED,
    CLAW_BACK_PENDING,
    EARN_PENDING,
    MERGE_DEBT,
    MERGE_PENDING,
    REFUND_OWED,
    SPEND_OWED,
    Legs,
    Purpose,
)
from shared.ledger.terms import PROGRAMME
from shared.point_types import POINTS, Unit
from shared.receipt_key import receipt_id_of

_KEY_SCHEMES = frozenset({b"sequence", b"fiscal", b"document"})


@dataclass(frozen=True, slots=True)
class Movement:
    """One thing that happened to the points, however many lots it touched.

    ``oldest_transfer_id`` is where the page after this line starts.
    """

    oldest_transfer_id: int
    newest: StatementLine
    points: int

    @property
    def change(self) -> int:
        """What it changed in the available balance, signed. Two who were merged have one: the merge changed nothing."""
        return replace(self.newest, points=self.points).change

    @property
    def legs(self) -> Legs:
        """From where to where the points went."""
        return Legs(self.newest.purpose, self.newest.debit, self.newest.credit)

    @property
    def receipt_id(self) -> str | None:
        """The receipt that caused it, if one did."""
        scheme = self.newest.reference.partition(b"\x00")[2].partition(b"\x00")[0]
        return receipt_id_of(self.newest.reference) if scheme in _KEY_SCHEMES else None


def fold_transfers(transfers: Iterable[StatementLine]) -> Iterator[Movement]:
    """Join neighbours that are one movement through several lots. ``transfers`` come newest first."""
    movement: Movement | None = None
    for transfer in transfers:
        if movement is not None and _is_one(movement.newest, transfer):
            movement = replace(
                movement, oldest_transfer_id=transfer.transfer_id, points=movement.points + transfer.points
            )
            continue
        if movement is not None:
            yield movement
        movement = Movement(transfer.transfer_id, transfer, transfer.points)
    if movement is not None:
        yield movement


def _is_one(newer: StatementLine, older: StatementLine) -> bool:
    return _identity(newer) == _identity(older)


def _identity(line: StatementLine) -> tuple[object, ...]:
    legs = (line.purpose, line.debit, line.credit, line.side)
    return line.business_time, legs, line.reference, line.partner_id, line.hold_id


@dataclass(frozen=True, slots=True)
class Checkout:
    """The redemption for which a hold was made. ``is_lent``: by another member, ``spender_id``, of the household.
    ``is_reward``: it was made for a voucher, and no redemption.
    """

    redemption_id: UUID | None
    partner_id: str | None
    spender_id: UUID | None
    is_lent: bool
    is_reward: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """What a line may name: checkouts by hold, partners' names, and whose purchases its reader may see.

    ``unshown_receipts`` are keys of purchases that somebody paid for with points who has not agreed to show them to the
    reader: what such a purchase sent back may clear a debt, or go on to a survivor, in lines that name no hold.
    ``unit`` is what the points are called.
    """

    checkouts: Mapping[UUID, Checkout]
    partners: Mapping[str, str]
    shown: Collection[UUID]
    unshown_receipts: Collection[bytes] = frozenset()
    unit: Unit = POINTS

    def checkout_of(self, movement: Movement) -> Checkout | None:
        """For which checkout points were reserved, if they were."""
        hold_id = movement.newest.hold_id
        return None if hold_id is None else self.checkouts.get(hold_id)

    def is_others_secret(self, movement: Movement) -> bool:
        """Whether it is a purchase of somebody who has not agreed to show it to the reader, with lent points."""
        checkout = self.checkout_of(movement)
        if checkout is None:
            return movement.newest.reference in self.unshown_receipts
        return checkout.is_lent and checkout.spender_id not in self.shown

    def partner_of(self, movement: Movement) -> str | None:
        """Whose line it is: the partner that gave or took the points, or at whose till they were reserved."""
        if self.is_others_secret(movement):
            return None
        if movement.newest.partner_id is not None:
            return None if movement.newest.partner_id == PROGRAMME else movement.newest.partner_id
        checkout = self.checkout_of(movement)
        return None if checkout is None else checkout.partner_id


@dataclass(frozen=True, slots=True)
class Line:
    """One line for its reader. ``available_after`` is None where the reader does not see all lines."""

    movement: Movement
    at: datetime
    partner_id: str | None
    receipt_id: str | None
    redemption_id: UUID | None
    words: str
    available_after: int | None


def write_line(movement: Movement, names: Names, available_after: int | None) -> Line:
    """Put a movement into words. A partner without a name is its code.

    Where points were lent for a purchase that the reader may not see, it says so, and neither where nor for what.
    """
    partner_id, checkout = names.partner_of(movement), names.checkout_of(movement)
    is_secret = names.is_others_secret(movement)
    partner = None if partner_id is None else names.partners.get(partner_id, partner_id)
    return Line(
        movement=movement,
        at=movement.newest.business_time,
        partner_id=partner_id,
        receipt_id=None if is_secret else movement.receipt_id,
        redemption_id=None if is_secret or checkout is None else checkout.redemption_id,
        words=describe(movement, partner, made_for=checkout, unit=names.unit),
        available_after=available_after,
    )


_WORDS: Mapping[Purpose, str] = {
    "earn": "Earned {points}{at}",
    "claw_back": "{points} taken back for a return{at}",
    "clear_debt": "{points} went to what was owed",
    "suspend": "{points} set aside while a purchase is checked",
    "release": "{points} can be spent again",
    "reserve": "Reserved {points} for a checkout{at}",
    "capture": "Spent {points}{at}, reserved before",
    "void": "{points} reserved{at} and not needed are available again",
    "expire": "{points} reserved{at} are available again: the checkout was not finished in time",
    "spend_late": "Spent {points}{at}",
    "expire_points": "{points} expired",
    "reinstate": "{points} that had expired were given back",
    "adjust": "{points} added by the programme",
    "write_off": "{points} that were owed are forgiven",
    "refund": "{points} given back{at}",
    "refund_owed": "{points} given back{at}",
    "prolong": "{points} came back after their last day and can be spent a while longer",
    "merge": "{points} of another membership joined this one",
    "gift": "{points} given to another member",
    "leave": "{points} stayed with the household that was left",
}
# Where the purpose alone does not say it.
_WORDS_BY_LEGS: Mapping[Legs, str] = {
    EARN_PENDING: "Earned {points}{at}, to be spent later",
    CLAW_BACK_PENDING: "{points} that were set aside taken back for a return{at}",
    SPEND_OWED: "{points} owed for a purchase{at} that was paid with more points than there were",
    REFUND_OWED: "{points} that were owed for a purchase{at} are not owed any more: it was undone",
    CLAW_BACK_OWED: "{points} owed for a return{at}: they had been spent",
    MERGE_PENDING: "{points} that another membership had set aside joined this one",
    MERGE_DEBT: "{points} that another membership owed joined this one",
    ADJUST_DOWN: "{points} taken by the programme",
}
_RECEIVED_WORDS: Mapping[Purpose, str] = {
    "gift": "{points} were a gift of another member",
    "leave": "{points} of a member who left the household stayed with it",
}
_WITHIN_WORDS = "{points} passed between two memberships that are one now"
_LENT_WORDS: Mapping[Purpose, str] = {
    "reserve": "{points} reserved for a checkout of another member of the household{at}",
    "capture": "{points} spent by another member of the household{at}, reserved before",
    "refund": "{points} that another member of the household had spent{at} are given back",
    "void": "{points} that another member of the household had reserved{at} are available again",
    "expire": "{points} that another member of the household had reserved{at} are available again",
}
_REWARD_WORDS: Mapping[Purpose, str] = {
    "reserve": "Reserved {points} for a reward{at}",
    "capture": "Spent {points} for a reward{at}, reserved before",
    "refund": "{points} spent for a reward{at} are given back: its receipt was voided",
    "void": "{points} reserved for a reward{at} are available again",
    "expire": "{points} reserved for a reward{at} are available again: it was not used in time",
}


def describe(movement: Movement, partner: str | None, *, made_for: Checkout | None = None, unit: Unit = POINTS) -> str:
    """A movement in a sentence, without its date. ``made_for`` is the checkout of its hold."""
    purpose = movement.newest.purpose
    words = _WORDS_BY_LEGS.get(movement.legs) or _WORDS[purpose]
    if made_for is not None and made_for.is_lent:
        words = _LENT_WORDS.get(purpose, words)
    if made_for is not None and made_for.is_reward:
        words = _REWARD_WORDS.get(purpose, words)
    if movement.newest.side == "receiver":
        words = _RECEIVED_WORDS.get(purpose, words)
    elif movement.newest.side == "both" and purpose in _RECEIVED_WORDS:
        words = _WITHIN_WORDS
    return words.format(points=unit.in_words(movement.points), at="" if partner is None else f" at {partner}")
