"""A document by which goods of a receipt came back, as it was read or as HTTP says it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.tender import UnusableReceiptError
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, ReturnLine, ReturnRecorded, Tender
from shared.receipt_key import natural_key_of, partner_of

# A refund over HTTP names the return that it is for, and no document of it.
OVER_HTTP = ""


@dataclass(frozen=True, slots=True)
class PaidOut:
    """What a return says that it paid back in points, in money; of a redemption where it names one."""

    redemption_id: UUID | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class GoodsReturn:
    """A document by which goods of a receipt came back; ``thousandths`` are quantities by the receipt's lines.

    ``said`` is what it says of points: nothing at all is known where it names no tenders (None), and where it names
    some, it paid back no more in points than these. ``moves_on``: goods of an exchange, whose points pay for others.
    """

    return_key: bytes
    content_hash: str
    receipt_key: bytes
    thousandths: tuple[tuple[int, int], ...]
    said: tuple[PaidOut, ...] | None = None
    moves_on: bool = False
    traceparent: str | None = None
    is_counted: bool = False

    @property
    def undone_by(self) -> bytes:
        """The document that undoes."""
        return self.return_key

    @property
    def cause(self) -> str:
        """Why points go back."""
        return "return"


def return_of(event: PurchaseEvent, currency: str) -> GoodsReturn | None:
    """The goods that a return or an exchange brought back; None where it is neither, names no receipt, or its till was
    in training. What it paid in another currency than the programme's says nothing of points.

    Raises:
        MalformedReceiptIdError: one of its receipt ids is not one of ours.
        UnusableReceiptError: one of them is another partner's.
    """
    if not isinstance(event, ReturnRecorded | ExchangeRecorded) or event.data.is_training:
        return None
    data = event.data
    if data.original_receipt_id is None:
        return None
    return_key, receipt_key = natural_key_of(data.receipt_id), natural_key_of(data.original_receipt_id)
    if {partner_of(return_key), partner_of(receipt_key)} != {data.partner_id}:
        raise UnusableReceiptError("a return and the receipt whose goods come back are its own partner's")
    lines = event.data.returned_lines if isinstance(event, ExchangeRecorded) else event.data.lines
    moves_on = isinstance(event, ExchangeRecorded)
    pays_back = not isinstance(event, ExchangeRecorded) or event.data.total_minor < 0
    is_told = bool(data.tenders) and data.currency == currency and pays_back
    return GoodsReturn(
        return_key=return_key,
        content_hash=data.content_hash,
        receipt_key=receipt_key,
        thousandths=_thousandths(lines),
        said=_said(data.tenders) if is_told else None,
        moves_on=moves_on,
        traceparent=event.traceparent,
    )


def _thousandths(lines: Iterable[ReturnLine]) -> tuple[tuple[int, int], ...]:
    summed: dict[int, int] = {}
    for line in lines:
        summed[line.original_line_id] = summed.get(line.original_line_id, 0) + line.quantity_thousandths
    return tuple(sorted(summed.items()))


def _said(tenders: Iterable[Tender]) -> tuple[PaidOut, ...]:
    return tuple(PaidOut(one.redemption_id, one.amount_minor) for one in tenders if one.kind == "points")
