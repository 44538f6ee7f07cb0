"""One sale earns once: when its goods are handed over, whenever they were paid, unless rules say otherwise.

Whoever pays ahead (a prepayment, the advance that a gift card is) earns nothing then: the receipt of the handover bears
the whole amount, and the part that was paid ahead is one of its tenders. Goods that are handed over on credit earn at
once, and their repayment never. Rules may let a prepayment earn when it is paid: what it gave is taken back at the
handover (``prepayments``).
"""

from collections.abc import Mapping

from services.accrual.domain.exchanged_goods import GoodsTaken
from services.accrual.domain.rules.counted import Counted
from shared.events.purchases import PurchaseData, PurchaseLine, SettlementKind

# Why a line of this kind earns nothing; what is not here is handed over with this receipt.
_WHY_NOT: Mapping[SettlementKind, str] = {
    "prepayment": "its goods earn when they are handed over",
    "advance": "what is bought with it earns when it is handed over",
    "repayment": "its goods earned when they were handed over",
}


def is_handover(settlement: SettlementKind | None) -> bool:
    """Whether a line of this kind hands goods over."""
    return settlement is None or settlement not in _WHY_NOT


def is_handed_over(line: PurchaseLine) -> bool:
    """Whether a line's goods were handed over with its receipt, and so may earn."""
    return is_handover(line.settlement)


def earns_now(line: PurchaseLine, counted: Counted) -> bool:
    """Whether a line may earn with its receipt: it hands goods over, or is paid ahead where that earns at once."""
    return is_handed_over(line) or (line.settlement == "prepayment" and counted.prepayments == "at_payment")


def hands_over(purchase: PurchaseData) -> bool:
    """Whether anything was: a receipt that only settles money is no purchase of its own, and no visit."""
    for line in purchase.lines:  # noqa: SIM110 -- any() with a generator takes three times as long
        if line.settlement is None or is_handover(line.settlement):
            return True
    return False


def is_visit(purchase: PurchaseData) -> bool:
    """Whether it is a purchase of its own, and a visit: goods were handed over, and not merely for others that came
    back. An exchange is one where the member paid on top.
    """
    if type(purchase) is not PurchaseData and isinstance(purchase, GoodsTaken) and purchase.net_minor <= 0:
        return False
    return hands_over(purchase)


def settlements_in_words(purchase: PurchaseData, counted: Counted) -> list[str]:
    """Why lines earn nothing that only settle money, one sentence a line; and that the sale was paid ahead."""
    words = []
    if counted.prepayments == "at_payment" and (named := purchase.prepaid_receipt_ids):
        where = "one receipt" if len(named) == 1 else f"{len(named)} receipts"
        words.append(f"It was paid ahead in {where}: what had been earned for that is taken back, and is in this.")
    return words + [
        f"Line {line.line_id} is {'an' if line.settlement == 'advance' else 'a'} {line.settlement}:"
        f" {_WHY_NOT[line.settlement]}."
        for line in purchase.lines
        if line.settlement is not None and line.settlement in _WHY_NOT and not earns_now(line, counted)
    ]
