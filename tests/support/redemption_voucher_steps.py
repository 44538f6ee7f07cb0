"""What a programme's app and tills ask about rewards: the steps of made-up lives; and what is on offer in them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

VOUCHERS = 6
RESERVED_FOR = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Offer:
    """What points buy. ``pieces``: how many there are, where that is limited; ``is_by_codes``: each piece is a code
    that its partner brought. ``ends_after``: nobody may use one so long after the life has begun."""

    name: str
    partner: str
    points: int
    money_minor: int = 0
    pieces: int | None = None
    is_by_codes: bool = False
    per_member_max: int | None = None
    valid_days: int = 3
    ends_after: timedelta | None = None
    comes_back: bool = True


OFFERS = (
    Offer("coffee", "grocer", 12, pieces=2),
    Offer("dinner", "grocer", 20, money_minor=300, per_member_max=1, valid_days=30),
    Offer("wash", "grocer", 7, pieces=2, comes_back=False, valid_days=30, ends_after=timedelta(days=12)),
    Offer("tank", "fuel", 15, pieces=2, is_by_codes=True, valid_days=10),
)


@dataclass(frozen=True, slots=True)
class Issue:
    """A member takes a reward, by an id of the app's; ``is_kept``: only to be kept for a while."""

    voucher: int
    member: int
    offer: int
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Confirm:
    """So much was paid for what is reserved."""

    voucher: int
    paid_minor: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """The member has got the code."""

    voucher: int


@dataclass(frozen=True, slots=True)
class Use:
    """A till takes a voucher for a receipt."""

    voucher: int
    receipt: int
    partner: str = "grocer"


@dataclass(frozen=True, slots=True)
class Cancel:
    """The app lets a voucher count no more."""

    voucher: int


@dataclass(frozen=True, slots=True)
class ExpireVouchers:
    """The job that closes vouchers comes by."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """What the consumer does of vouchers once it has read the void of a receipt; it may do so again."""

    receipt: int


VoucherRequest: TypeAlias = Issue | Confirm | Deliver | Use | Cancel
VoucherStep: TypeAlias = VoucherRequest | ExpireVouchers | GiveBack
