"""What a void comes to: the sale never was, so all that is left of its award goes back, whatever came back before."""

from collections.abc import Sequence

from services.accrual.domain.decisions import ClawedBack, Decision, Document, Facts, Refused
from services.accrual.domain.undoing import Undoable, claw_back, find_undoable
from shared.events.purchases import PurchaseData, ReceiptVoided, ReturnLine


def decide_void(document: Document, event: ReceiptVoided, facts: Facts) -> Decision:
    """Undo a purchase as a whole, once: what follows it about that purchase, a second void too, is refused."""
    found = find_undoable(document, document.original_key, facts)
    if not isinstance(found, Undoable):
        return found
    # Whatever has corrected the receipt since: others who read the void know the total that was posted first.
    first_minor = found.original.first_total_minor
    total_minor = found.purchase.total_minor if first_minor is None else first_minor
    if event.data.total_minor != total_minor:
        detail = (
            f"the receipt it voids came to {total_minor}, and not to {event.data.total_minor}: is it the right one?"
        )
        return Refused(document, found.owner_id, "other_total", detail)
    decision = claw_back(
        document, lines_left(found.purchase, found.original.returned_thousandths), found, facts, "void"
    )
    if isinstance(decision, ClawedBack):  # one that is refused leaves the receipt as it was
        found.original.voided_by = document.natural_key
    return decision


def until_each_void(documents: Sequence[Document]) -> list[Sequence[Document]]:
    """The documents in runs of which a void is the last; none makes one empty run."""
    runs: list[list[Document]] = [[]]
    for document in documents:
        if runs[-1] and isinstance(runs[-1][-1].event, ReceiptVoided):
            runs.append([])
        runs[-1].append(document)
    return list(runs)


def lines_left(purchase: PurchaseData, returned_thousandths: dict[int, int]) -> list[ReturnLine]:
    """Everything of a purchase that has not come back, as if it did now."""
    return [
        ReturnLine(
            line_id=line.line_id,
            sku=line.sku,
            quantity_thousandths=left,
            amount_minor=line.amount_minor,
            original_line_id=line.line_id,
        )
        for line in purchase.lines
        if (left := line.quantity_thousandths - returned_thousandths.get(line.line_id, 0)) > 0
    ]
