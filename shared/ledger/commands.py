"""What can be asked of the ledger; what it answers is in ``outcomes``.

Every command names one owner, one point type, and in ``reference`` the natural key of the effect it belongs to (a
receipt's key, a redemption's id as bytes). Amounts are whole numbers of the point type's smallest unit. The ledger
does not tell a repeated command from a new one: whoever posts keeps the idempotency record in the same transaction.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from shared.ledger.bounds import require, require_award
from shared.ledger.conditions import Basket
from shared.ledger.corrections import AdjustDown, AdjustUp, Expire, Refund, RefundOwed, Reinstate, WriteOff
from shared.ledger.forgiving import Forgiving
from shared.ledger.gifts import Give
from shared.ledger.terms import LotTerms

LOTS_PER_HOLD_MAX = 200


@dataclass(frozen=True, slots=True)
class Earn:
    """Issue ``points`` to the lot of these terms. What the owner owes is cleared from them at once.

    ``balance_max`` bounds what the owner has afterwards (see ``Book.room``): what is beyond it is not issued, and is
    the answer's ``trimmed``.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    terms: LotTerms
    balance_max: int | None = None

    def __post_init__(self) -> None:
        require(self.points, self.reference)


@dataclass(frozen=True, slots=True)
class EarnPending:
    """Issue ``points`` of an award to a pending lot of its own; ``Release`` of that award makes them available.

    They clear no debt until then. ``balance_max`` is as for ``Earn``: what is pending counts.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    terms: LotTerms
    award: bytes
    balance_max: int | None = None

    def __post_init__(self) -> None:
        require(self.points, self.reference)
        require_award(self.award)


# What becomes of a claw-back that the owner's points do not cover.
ClawBackPolicy: TypeAlias = Literal["debt", "clip", "refuse"]


@dataclass(frozen=True, slots=True)
class ClawBack:
    """Take ``points`` of an award back: from its pending lot, then from the lot of its terms; the rest becomes debt.

    The debt is then cleared from whatever is available, first expiring first. The caller bounds ``points`` by what
    the award put in less what was taken back before.

    What none of these covers stays owed; or, by ``policy``, is left, so that the issuer bears it (``clip``: the
    answer's ``shortfall``), or nothing is taken at all (``refuse``: ``insufficient_points``). Where it is so little
    that the purchase's rules are ``forgiving``, it is left whatever the policy. With ``refunded_since``, what a refund
    of the same reference has given back since then is left alone by all but ``debt``, as if it came afterwards.

    ``kept`` of the points stay the owner's, who has paid for them otherwise: nothing is taken for them.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    terms: LotTerms
    award: bytes
    policy: ClawBackPolicy = "debt"
    refunded_since: datetime | None = None
    forgiving: Forgiving | None = None
    kept: int = 0

    def __post_init__(self) -> None:
        require(self.points, self.reference)
        require_award(self.award)
        if not 0 <= self.kept <= self.points:
            raise ValueError("no more is kept than there was to be taken")

    @property
    def spares_refunds(self) -> bool:
        """Whether it leaves alone what its own document has given back."""
        may_be_left = self.policy != "debt" or self.forgiving is not None
        return may_be_left and self.refunded_since is not None


@dataclass(frozen=True, slots=True)
class Suspend:
    """Set up to ``points`` of an award aside, from the lot of its terms to a pending lot of its own.

    Moves what is left in that lot and no more; the rest is the answer's ``shortfall``. What is pending of the award
    already counts: asked again, it moves nothing.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    terms: LotTerms
    award: bytes

    def __post_init__(self) -> None:
        require(self.points, self.reference)
        require_award(self.award)


@dataclass(frozen=True, slots=True)
class Release:
    """Give back all that is pending of an award to the lot of its terms; nothing pending moves nothing.

    ``into`` is the lot that it goes to instead, where only the release says from when, and how long, it may be spent.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    terms: LotTerms
    award: bytes
    into: LotTerms | None = None

    def __post_init__(self) -> None:
        require(1, self.reference)
        require_award(self.award)


@dataclass(frozen=True, slots=True)
class Reserve:
    """Open a hold on ``points`` that the ``basket`` may use, from at most ``LOTS_PER_HOLD_MAX`` lots: all or nothing.

    The most limited come first, then first expiring first. Without a basket nothing limited is used.

    Refused with ``insufficient_points`` or ``too_many_lots``. A ``hold_id`` that was used before is an error of the
    caller and fails the whole call (``HoldExistsError``, or the primary key of ``ledger_holds``).
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    hold_id: UUID
    basket: Basket | None = None

    def __post_init__(self) -> None:
        require(self.points, self.reference)


@dataclass(frozen=True, slots=True)
class Capture:
    """Take ``points`` of an open hold for a partner, first expiring first. The rest returns to its lots.

    With ``keep_rest`` the rest stays reserved for a further capture; a hold with nothing left is closed either way.
    Refused with ``hold_not_open`` (also where the hold is unknown or another owner's) or ``exceeds_hold``.
    ``came_back_expires_on`` is as for ``Void``, of what returns.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    hold_id: UUID
    partner_id: str
    keep_rest: bool = False
    came_back_expires_on: date | None = None

    def __post_init__(self) -> None:
        require(self.points, self.reference)


@dataclass(frozen=True, slots=True)
class Void:
    """Let an open hold go: what it still reserves returns to its lots. Refused with ``hold_not_open``.

    ``points``: only so many, of what would be captured last; with others left the hold stays open. Refused with
    ``exceeds_hold`` where less is reserved.

    What comes back to a lot whose day of expiry has come goes on to a lot that expires on ``came_back_expires_on``, and
    is the same otherwise; None, or a day that has come as well: it lapses at once.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    hold_id: UUID
    purpose: Literal["void", "expire"] = "void"
    came_back_expires_on: date | None = None
    points: int | None = None

    def __post_init__(self) -> None:
        require(1 if self.points is None else self.points, self.reference)


@dataclass(frozen=True, slots=True)
class SpendLate:
    """Take up to ``points`` for a partner without a hold: what the ``basket`` may use, the rest being the shortfall.

    With ``owes`` there is no shortfall: the rest becomes the owner's debt to the partner, known by ``taken_as``, and is
    cleared at once from what the basket may not use; the answer's ``points`` are what lots gave. ``RefundOwed`` undoes
    it.

    What was taken can be given back by ``Refund`` if it has an id, ``taken_as``, of its own among the ids of holds: as
    if a hold had been made and captured at once, from however many lots.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    partner_id: str
    taken_as: UUID | None = None
    basket: Basket | None = None
    owes: bool = False

    def __post_init__(self) -> None:
        require(self.points, self.reference)
        if self.owes and self.taken_as is None:
            raise ValueError("what is owed needs an id, to be undone by")


Command: TypeAlias = (
    Earn
    | EarnPending
    | ClawBack
    | Suspend
    | Release
    | Reserve
    | Capture
    | Void
    | SpendLate
    | AdjustUp
    | AdjustDown
    | WriteOff
    | Expire
    | Reinstate
    | Refund
    | RefundOwed
    | Give
)
