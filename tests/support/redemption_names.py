"""What a made-up life calls members, redemptions and receipts, by names that no other life has."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from shared.ids import new_id
from shared.ledger import Limits, LotTerms
from shared.receipt_key import encode_receipt_key
from tests.support.redemption import till_receipt
from tests.support.redemption_steps import GIFTS, HOURS_OF_A_HOLD, MEMBERS, RECEIPTS, REDEMPTIONS, RETURNS
from tests.support.redemption_voucher_steps import VOUCHERS

POINTS = "points"
LOTS = (
    LotTerms("grocer", date(2026, 1, 1), date(2026, 3, 5)),
    LotTerms("fuel", date(2026, 1, 1), None),
    LotTerms("fuel", date(2026, 1, 1), date(2026, 3, 20), limits=Limits(partners=("grocer",))),
    LotTerms("fuel", date(2026, 1, 1), None, limits=Limits(partners=("fuel",))),  # may not be spent at the grocer's
)
VOIDS_FROM, RETURNS_FROM = 500_000, 1_000_000
# A fixed name space: what a redemption reserves of one who lends is a hold of its own, whoever computes its id.
_SHARES = UUID("5d1b9a0e-3c52-5f0a-8c37-9b3c1b8f6a21")


@dataclass(frozen=True, slots=True)
class Names:
    """Of one life; receipts have the numbers from ``first_receipt`` on. Who is in the household lends to the others."""

    members: tuple[UUID, ...]
    redemptions: tuple[UUID, ...]
    gifts: tuple[UUID, ...]
    vouchers: tuple[UUID, ...]
    first_receipt: int
    household: tuple[int, ...] = (0, 1)

    @property
    def receipt_keys(self) -> list[bytes]:
        """Receipts' natural keys."""
        return self._keys(0, RECEIPTS)

    @property
    def void_keys(self) -> list[bytes]:
        """Those of their voids."""
        return self._keys(VOIDS_FROM, RECEIPTS)

    @property
    def return_keys(self) -> list[bytes]:
        """Those of returns."""
        return self._keys(RETURNS_FROM, RETURNS)

    def _keys(self, begin: int, count: int) -> list[bytes]:
        first = begin + self.first_receipt
        return [encode_receipt_key("grocer", till_receipt(first + one)) for one in range(count)]

    def receipt_of(self, key: bytes) -> tuple[str, int]:
        """Whose receipt it is, and which of them."""
        for partner in ("grocer", "fuel"):
            keys = [encode_receipt_key(partner, till_receipt(self.first_receipt + one)) for one in range(RECEIPTS)]
            if key in keys:
                return partner, keys.index(key)
        raise AssertionError(f"nobody's receipt: {key!r}")

    def document_of(self, content_hash: str) -> str:
        """What a person calls a document: HTTP names none."""
        number = int(content_hash or "0", 16) - RETURNS_FROM - self.first_receipt
        return f"return {number}" if 0 <= number < RETURNS else "receipt" if content_hash else ""

    def hold_of(self, redemption: int, member: int, *, is_own: bool) -> UUID:
        """What a redemption reserves of a member, in the ledger."""
        redemption_id = self.redemptions[redemption]
        return redemption_id if is_own else uuid5(_SHARES, f"{redemption_id}/{self.members[member]}")

    def late_of(self, redemption: int, receipt: int) -> UUID:
        """What a receipt takes beyond its hold, in the ledger."""
        return uuid5(self.redemptions[redemption], self.receipt_keys[receipt].hex())

    def end_of(self, redemption: int, now: datetime) -> datetime:
        """When a hold that is made now ends: no two at once."""
        return now + timedelta(hours=HOURS_OF_A_HOLD, minutes=redemption)


def new_names(first_receipt: int) -> Names:
    """Names of a life."""
    members, redemptions, gifts, vouchers = (
        tuple(new_id() for _ in range(count)) for count in (MEMBERS, REDEMPTIONS, GIFTS, VOUCHERS)
    )
    return Names(members, redemptions, gifts, vouchers, first_receipt)
