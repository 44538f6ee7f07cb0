"""A till's document that says what an earlier one should have said. Pure.

It names the wrong document, by that one's key and total, and says all of its lines and tenders as they should have
been. Whose the receipt is, and when and where it was made, it does not change. Of several corrections of a receipt the
latest by their own time stands, in whatever order they come.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from services.accrual.domain.settlement import is_handed_over
from shared.events.purchases import CorrectionData, PurchaseData, PurchaseLine, ReceiptData

# Why nothing changes of what was paid ahead any more: the reason code and the words.
PREPAYMENT_SETTLED: Final = (
    "prepayment_settled",
    "what it took ahead was paid back, or its goods were handed over: correct the receipt that did so",
)

# Why a receipt goes on handing over what was paid ahead.
HANDOVER_STANDS: Final = (
    "handover_stands",
    "goods that were paid ahead were handed over with it, and it would hand over none: void it and post it anew",
)


class InForce(NamedTuple):
    """The correction by which a receipt stands; in the order in which one overrules another."""

    occurred_at: datetime
    natural_key: bytes


def corrected(first: PurchaseData, correction: CorrectionData) -> PurchaseData:
    """The purchase as it should have been, from the document that came ``first``, whatever corrected it before."""
    changes: dict[str, object] = {
        "total_minor": correction.total_minor,
        "lines": correction.lines,
        "tenders": correction.tenders,
    }
    if correction.channel is not None:
        changes["channel"] = correction.channel
    if correction.coupons is not None:
        changes["coupons"] = correction.coupons
    return first.model_copy(update=changes)


def why_not_corrected(
    first: PurchaseData, correction: CorrectionData, returned_thousandths: Mapping[int, int]
) -> tuple[str, str] | None:
    """Why a document does not correct that one: the reason code and the words."""
    if correction.original_total_minor != first.total_minor:
        return "other_total", (
            f"the receipt it corrects came to {first.total_minor}, and not to {correction.original_total_minor}: is it"
            " the right one?"
        )
    if correction.currency != first.currency:
        return "other_currency", f"the receipt it corrects is in {first.currency}, and stays so"
    if _paid_with_points(first) != _paid_with_points(correction):
        return "points_tender_changed", (
            "a correction repeats what was paid with points, as it was: give points back with a return, or void the"
            " receipt and post it anew"
        )
    held = {line.line_id: line.quantity_thousandths for line in correction.lines}
    for line_id, returned in returned_thousandths.items():
        if returned > held.get(line_id, 0):
            return "less_than_returned", (
                f"line {line_id}: {returned} thousandths of it came back, and it would be {held.get(line_id, 0)}"
            )
    ahead = paid_ahead(first.lines)
    if not ahead.keys().isdisjoint(returned_thousandths) and ahead != paid_ahead(correction.lines):
        return PREPAYMENT_SETTLED
    return None


def paid_ahead(lines: Iterable[PurchaseLine]) -> dict[int, int]:
    """How much was paid for ahead, in thousandths, by line."""
    return {line.line_id: line.quantity_thousandths for line in lines if line.settlement == "prepayment"}


def takes_its_handover_back(now: PurchaseData, lines: Iterable[PurchaseLine]) -> bool:
    """Whether a receipt that hands over what was paid ahead would hand over nothing: what it took of those that had
    been paid goes back with its void alone.
    """
    return bool(now.prepaid_receipt_ids) and not any(is_handed_over(line) for line in lines)


def _paid_with_points(document: ReceiptData) -> Counter[tuple[object, ...]]:
    """What was paid by which redemption; nothing where no points were."""
    return Counter(
        (tender.redemption_id, tender.amount_minor, tender.point_type)
        for tender in document.tenders
        if tender.kind == "points"
    )
