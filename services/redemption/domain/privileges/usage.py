"""What receipts say of privileges that were used, and what of a use stands after returns and voids. Pure.

Purchases, returns and voids come in any order, and meet in the receipt's row: what stands follows from all that was
read by then, whatever came first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from services.redemption.domain.privileges.entitlement import Place
from services.redemption.domain.privileges.life import Privilege
from services.redemption.domain.tender import UnusableReceiptError
from services.redemption.domain.voiding import void_of
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, PurchaseRecorded, ReturnLine, ReturnRecorded
from shared.receipt_key import natural_key_of, partner_of

Objection: TypeAlias = Literal["unknown_privilege", "other_place", "not_in_force", "limit_exceeded"]


class UsedLine(NamedTuple):
    """What a privilege took off a line of so many thousandths of a unit."""

    line_id: int
    amount_minor: int
    quantity_thousandths: int


@dataclass(frozen=True, slots=True)
class Use:
    """A receipt says that a privilege was used: one use, whatever it took off of how many lines."""

    receipt_key: bytes
    privilege_id: str
    content_hash: str
    partner_id: str
    store_id: str
    member_id: UUID | None
    session_id: UUID | None
    occurred_at: datetime
    currency: str
    lines: tuple[UsedLine, ...]

    @property
    def amount_minor(self) -> int:
        """What it took off in all."""
        return sum(line.amount_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class KeptUse:
    """A use as it stands: when it counts, what is undone of it, whether any of it is left, and why it should not have
    been given. ``version`` rises with each change."""

    use: Use
    counted_on: date
    objection: Objection | None = None
    undone_minor: int = 0
    is_undone: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class GoodsBack:
    """Goods of a receipt that came back, by its lines, in thousandths of a unit."""

    return_key: bytes
    content_hash: str
    original_key: bytes
    quantities: Mapping[int, int]


class Left(NamedTuple):
    """What of a use is undone, and whether nothing of it is left."""

    undone_minor: int
    is_undone: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What documents say of privileges: uses, goods that came back, and which documents were voided or refused.

    ``totals_minor`` are those of the receipts with uses; ``traceparents`` are of whatever concerns a receipt.
    """

    uses: Sequence[Use] = ()
    back: Sequence[GoodsBack] = ()
    undone: frozenset[bytes] = frozenset()
    totals_minor: Mapping[bytes, int] = field(default_factory=dict)
    traceparents: Mapping[bytes, str | None] = field(default_factory=dict)

    @property
    def keys(self) -> set[bytes]:
        """All documents that this is about."""
        back = {key for one in self.back for key in (one.return_key, one.original_key)}
        return back | self.undone | {use.receipt_key for use in self.uses}


def told_by(events: Iterable[PurchaseEvent]) -> Told:
    """What purchases, returns, exchanges and voids say of privileges.

    Raises:
        MalformedReceiptIdError, UnusableReceiptError: a document names what cannot be.
    """
    uses: list[Use] = []
    back: list[GoodsBack] = []
    undone: set[bytes] = set()
    totals_minor: dict[bytes, int] = {}
    traceparents: dict[bytes, str | None] = {}
    for event in events:
        used, returned, void = uses_of(event), goods_back_of(event), void_of(event)
        for use in used:
            totals_minor.setdefault(use.receipt_key, event.data.total_minor)
            traceparents[use.receipt_key] = event.traceparent
        if returned is not None:
            back.append(returned)
            traceparents[returned.original_key] = event.traceparent
        if void is not None:
            undone.add(void.receipt_key)
            traceparents[void.receipt_key] = event.traceparent
        uses.extend(used)
    return Told(uses, back, frozenset(undone), totals_minor, traceparents)


def uses_of(event: PurchaseEvent) -> tuple[Use, ...]:
    """The uses that a document tells of, a privilege each; none of one in training.

    Raises:
        MalformedReceiptIdError: the receipt id is not one of ours.
        UnusableReceiptError: it is another partner's.
    """
    if not isinstance(event, PurchaseRecorded | ExchangeRecorded) or event.data.is_training:
        return ()
    data = event.data
    if not data.privileges:
        return ()
    key = natural_key_of(data.receipt_id)
    if partner_of(key) != data.partner_id:
        raise UnusableReceiptError("the receipt id is another partner's")
    quantities = {line.line_id: line.quantity_thousandths for line in data.lines}
    taken: dict[str, list[UsedLine]] = {}
    for used in data.privileges:
        lines = taken.setdefault(used.privilege_id, [])
        if used.line_id is not None and used.amount_minor > 0:
            lines.append(UsedLine(used.line_id, used.amount_minor, quantities.get(used.line_id, 0)))
    return tuple(
        Use(
            key,
            privilege_id,
            data.content_hash,
            data.partner_id,
            data.store_id,
            data.member_id,
            data.session_id,
            data.occurred_at,
            data.currency,
            tuple(lines),
        )
        for privilege_id, lines in taken.items()
    )


def goods_back_of(event: PurchaseEvent) -> GoodsBack | None:
    """The goods that a return or an exchange took back; None where it names no purchase of
    its partner, or of one in training.

    Raises:
        MalformedReceiptIdError: one of its receipt ids is not one of ours.
    """
    if not isinstance(event, ReturnRecorded | ExchangeRecorded) or event.data.is_training:
        return None
    if event.data.original_receipt_id is None:
        return None
    return_key, original_key = natural_key_of(event.data.receipt_id), natural_key_of(event.data.original_receipt_id)
    if {partner_of(return_key), partner_of(original_key)} != {event.data.partner_id}:
        return None
    lines = event.data.lines if isinstance(event, ReturnRecorded) else event.data.returned_lines
    return GoodsBack(return_key, event.data.content_hash, original_key, _quantities(lines))


def left_of(use: Use, returned: Mapping[int, int], *, is_void: bool) -> Left:
    """What of a use is undone: all of it with a voided receipt, else of each line in proportion to what came back.

    Of a line that came back in parts the last one undoes the rest, so that parts add up to the whole. A use that took
    nothing off any line stays used, whatever comes back: a service was done.
    """
    if is_void:
        return Left(use.amount_minor, is_undone=True)
    undone_minor = sum(_undone(line, returned.get(line.line_id, 0)) for line in use.lines)
    return Left(undone_minor, is_undone=bool(use.lines) and undone_minor == use.amount_minor)


def objection_to(
    use: Use, privilege: Privilege | None, day: date, *, is_promised: bool, is_exceeded: bool
) -> Objection | None:
    """Why a privilege should not have been given on a receipt of this day; None where it should, as where its use was
    promised by a reservation.

    The goods are gone, so it counts all the same: whoever pays is told. Whether the member was in the tier, or had the
    offer, is not asked afterwards: the till was told so, and either may have changed since.
    """
    if privilege is None:
        return "unknown_privilege"
    if not privilege.terms.is_at(*Place.of(use.partner_id, use.store_id)):
        return "other_place"
    if is_promised:
        return None
    if not privilege.is_given(use.occurred_at, day):
        return "not_in_force"
    return "limit_exceeded" if is_exceeded else None


def _undone(line: UsedLine, returned_thousandths: int) -> int:
    if line.quantity_thousandths <= 0:
        return line.amount_minor if returned_thousandths else 0
    back = min(returned_thousandths, line.quantity_thousandths)
    return line.amount_minor * back // line.quantity_thousandths


def _quantities(lines: Iterable[ReturnLine]) -> dict[int, int]:
    quantities: dict[int, int] = {}
    for line in lines:
        quantities[line.original_line_id] = quantities.get(line.original_line_id, 0) + line.quantity_thousandths
    return quantities
