"""A purchase as the windows keep it."""

from collections.abc import Collection
from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple, TypeAlias
from uuid import UUID

from shared.events.purchases import ReceiptData
from shared.receipt_key import MalformedReceiptIdError, natural_key_of, partner_of

Shift: TypeAlias = tuple[str, int | None, date]

# Of a case that is about the member alone, where others are about a member and an operator.
NOBODY = ""

# With one till nobody can choose by whom to be served.
TILLS_FOR_A_CHOICE = 2

# Far enough from the calendar's end for every window; no till of this programme is older.
OCCURRED_AT_MIN = datetime(2000, 1, 1, tzinfo=UTC)


class ImplausibleReceiptError(ValueError):
    """The purchase cannot be placed in any window, whoever tries; the message says why."""


class Receipt(NamedTuple):
    """One purchase of one member. A tuple, because a batch reads thousands of them.

    The first two fields order a member's receipts in event time, ties broken by the natural key; together they are
    unique, so that comparing two receipts never reaches the third. Receipts are kept with what was known when they
    were decided, so that a decision can be made again from what is recorded.
    """

    occurred_at: datetime
    receipt_key: bytes
    operator_hash: str | None
    store_id: str
    shift_number: int | None
    day: date  # of occurred_at, in the programme's time zone
    had_choice: bool | None  # of another till in the store; None where the registry did not know the store
    is_own_card: bool = False  # of the operator's, as far as the registry knew
    claimed_after_days: int | None = None  # where no card was shown, and the member claimed it later
    moves: int = 0  # how often it had changed its member when it came into this window
    fired: tuple[str, ...] = ()  # codes of the rules that raised a signal on this receipt, sorted
    is_held: bool = False  # a hold was asked for, whatever became of it
    is_cleared: bool = False  # a person called the case that held it a false positive

    def with_fired(self, rule_code: str) -> "Receipt":
        """The receipt on which one more rule has raised its signal."""
        return self._replace(fired=tuple(sorted((*self.fired, rule_code))))

    def moved(self, moves: int) -> "Receipt":
        """The receipt as it comes to another member, without what was found about it under the former one."""
        return self._replace(moves=moves, fired=(), is_held=False, is_cleared=False)

    @property
    def is_claimed(self) -> bool:
        """Whether it came without a card, and was claimed by whoever had the paper."""
        return self.claimed_after_days is not None

    @property
    def shift(self) -> Shift:
        """One business shift: a store, the till's shift number and the day.

        The till itself does not count: a cashier who changes tills is still at work. Operators are hashed with their
        partner, so that receipts of one operator are of one partner's stores.
        """
        return (self.store_id, self.shift_number, self.day)


class ReceiptFact(NamedTuple):
    """A receipt that is to be scored, and whose it is."""

    member_id: UUID
    receipt: Receipt


def receipt_of(
    purchase: ReceiptData, time_zone: tzinfo, tills_in_store: int | None, own_cards: Collection[str] = ()
) -> Receipt:
    """The receipt of one purchase, placed in time.

    ``tills_in_store`` are those in force, None where the store is not known; ``own_cards`` may each stand for a member
    card of the operator himself. A till whose clock runs ahead counts as
    of when the door received it: a receipt from the future would push a member's window out of the present.

    Raises:
        ImplausibleReceiptError: no natural key of this partner, or a time that no till can have meant.
    """
    try:
        receipt_key = natural_key_of(purchase.receipt_id)
        partner_id = partner_of(receipt_key)
    except MalformedReceiptIdError as error:
        raise ImplausibleReceiptError(str(error)) from error
    if partner_id != purchase.partner_id:
        raise ImplausibleReceiptError("the receipt's natural key names another partner")
    occurred_at = min(purchase.occurred_at, purchase.received_at)
    if occurred_at < OCCURRED_AT_MIN:
        raise ImplausibleReceiptError("the purchase happened before the year 2000")
    return Receipt(
        occurred_at.astimezone(UTC),
        receipt_key,
        purchase.operator_hash,
        purchase.store_id,
        purchase.shift,
        occurred_at.astimezone(time_zone).date(),
        None if tills_in_store is None else tills_in_store >= TILLS_FOR_A_CHOICE,
        purchase.identifier_hash in own_cards,
        None if purchase.claimed_at is None else max(0, (purchase.claimed_at - occurred_at).days),
    )
