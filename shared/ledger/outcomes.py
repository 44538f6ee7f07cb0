"""What the ledger answers to a command: what it moved, or why it moved nothing."""

from typing import Literal, NamedTuple, TypeAlias

from shared.ledger.commands import Command
from shared.ledger.conditions import Funding, Limits
from shared.ledger.records import Balances

RefusalReason: TypeAlias = Literal[
    "insufficient_points", "too_many_lots", "hold_not_open", "exceeds_hold", "exceeds_captured", "same_owner"
]


class FundedPoints(NamedTuple):
    """Points that a partner issued and that have payers of their own."""

    issuer: str
    funding: Funding
    points: int


class LimitedPoints(NamedTuple):
    """Points that may be spent for some things alone."""

    limits: Limits
    points: int


class Posted(NamedTuple):
    """A command that took effect.

    ``points`` were moved as asked (a claw-back counts what became debt); ``shortfall`` were asked for and not there;
    ``trimmed`` were to be earned and lay beyond the cap on the balance.
    ``debt_added`` is what a claw-back or a purchase that owes added to the debt, ``debt_cleared`` what was cleared at
    once afterwards, so either leaves ``debt_added - debt_cleared`` behind it. ``released`` returned from a hold to the
    balance.
    ``lacking`` is what was not there for a claw-back that may be forgiven, whatever became of it.
    ``balance`` is the owner's just after this command. ``issuers`` says, of points that a partner, an adjustment or
    time took, that a refund gave back or another owner was given, who had issued how many of them; of debt that was
    forgiven, who had waited for it. ``funded`` says who pays for those that have payers of their own, ``limited``
    which of those of a capture were for some things alone. Of what was given, ``debt_cleared`` is the receiver's, and
    ``receiver`` the receiver's balances just after it.
    """

    command: Command
    points: int
    balance: Balances
    shortfall: int = 0
    debt_added: int = 0
    debt_cleared: int = 0
    released: int = 0
    issuers: tuple[tuple[str, int], ...] = ()
    receiver: Balances | None = None
    trimmed: int = 0
    funded: tuple[FundedPoints, ...] = ()
    limited: tuple[LimitedPoints, ...] = ()
    lacking: int = 0


class Refused(NamedTuple):
    """A command that changed nothing, and why. A decision, not a fault: asked again just now, it is refused again."""

    command: Command
    reason: RefusalReason
    balance: Balances


Outcome: TypeAlias = Posted | Refused
