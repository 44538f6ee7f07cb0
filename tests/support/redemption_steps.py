"""What tills ask, what receipts say, and what time and others do: the steps of made-up lives of a few members."""

from dataclasses import dataclass
from typing import TypeAlias

from shared.money import share_out
from tests.support.redemption_voucher_steps import VoucherRequest, VoucherStep

MEMBERS, REDEMPTIONS, RECEIPTS, RETURNS, GIFTS, LOTS = 3, 6, 6, 5, 3, 4
HOURS_OF_A_HOLD = 24


@dataclass(frozen=True, slots=True)
class Hold:
    """A till asks to reserve points."""

    redemption: int
    member: int
    points: int
    is_taken_in_parts: bool = False


@dataclass(frozen=True, slots=True)
class Capture:
    """A till asks to take points for a receipt; None: all that is reserved."""

    redemption: int
    receipt: int
    points: int | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Void:
    """A till lets a hold go."""

    redemption: int


@dataclass(frozen=True, slots=True)
class Shrink:
    """A till keeps so many of the points that are reserved."""

    redemption: int
    points: int


@dataclass(frozen=True, slots=True)
class Refund:
    """A till asks points of a redemption back for a return, one of those of the life."""

    redemption: int
    number: int
    points: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt is read; ``is_known``: with its member, if it has one."""

    receipt: int
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Undo:
    """The void of a receipt is read."""

    receipt: int


@dataclass(frozen=True, slots=True)
class Return:
    """A return is read, one of those of the life."""

    number: int


@dataclass(frozen=True, slots=True)
class Gift:
    """A member gives points to another one, by an id of the client's."""

    number: int
    giver: int
    receiver: int
    points: int


@dataclass(frozen=True, slots=True)
class Expire:
    """The job that ends holds comes by, purchases having been read to so many hours ago."""

    hours_behind: int = 0


@dataclass(frozen=True, slots=True)
class Sweep:
    """What waits is looked at again."""


@dataclass(frozen=True, slots=True)
class Earn:
    """A member earns points, to one of the lots."""

    member: int
    points: int
    lot: int


@dataclass(frozen=True, slots=True)
class TakeBack:
    """A purchase that earned points is returned: what is not there any more is owed."""

    member: int
    points: int
    lot: int


@dataclass(frozen=True, slots=True)
class Lapse:
    """The job that expires points comes by."""


@dataclass(frozen=True, slots=True)
class HoursPass:
    """It is later."""

    hours: int


@dataclass(frozen=True, slots=True)
class Again:
    """A till sends one of its requests again, under the key that it had."""

    back: int


TillStep: TypeAlias = Hold | Capture | Void | Shrink | Refund
Asked: TypeAlias = TillStep | VoucherRequest  # over HTTP, under a key
Single: TypeAlias = (
    TillStep
    | VoucherStep
    | Receipt
    | Undo
    | Return
    | Gift
    | Expire
    | Sweep
    | Earn
    | TakeBack
    | Lapse
    | HoursPass
    | Again
)


@dataclass(frozen=True, slots=True)
class AtOnce:
    """All of these at the same time, each beginning after so many turns of the event loop."""

    steps: tuple[Single, ...]
    turns: tuple[int, ...]


Step: TypeAlias = Single | AtOnce


@dataclass(frozen=True, slots=True)
class Document:
    """What a receipt says: which redemptions paid how many points of it, whose card it was, if anybody's, and how many
    pieces each line has, with the weight of its price. ``cash_minor`` was paid besides."""

    paid: tuple[tuple[int, int], ...]
    member: int | None
    lines: tuple[tuple[int, int], ...] = ((1, 1),)
    cash_minor: int = 0

    @property
    def amounts_minor(self) -> list[int]:
        """What each line cost: a point pays for one."""
        total_minor = sum(points for _, points in self.paid) + self.cash_minor
        return share_out(total_minor, [weight for _, weight in self.lines])


@dataclass(frozen=True, slots=True)
class Goods:
    """What a return says: so many pieces of each line of a receipt came back."""

    receipt: int
    pieces: tuple[int, ...]


UNHEARD = Document(((0, 1),), None)  # of a receipt that nobody reads


@dataclass(frozen=True, slots=True)
class Life:
    """A life, and what the programme has set for it."""

    documents: tuple[Document, ...]
    returns: tuple[Goods, ...]
    steps: tuple[Step, ...]
    is_household: bool
    members_owe: bool
    came_back_days: int
