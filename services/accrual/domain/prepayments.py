"""One sale earns once, where rules let a prepayment earn when it is paid: what it gave goes back at the handover.

The receipt that hands the goods over names the receipts in which they were paid ahead. It is judged as the whole sale
that it is, and what those had earned for these payments is taken back beside it, as if they came back: so all documents
of a sale give what the sale gives, to the last point, whatever rules were in force at either. Whichever of them is
decided first, the others find it: both sides end the same.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b

from services.accrual.domain.deciding import decide_document
from services.accrual.domain.deciding_purchases import rules_for
from services.accrual.domain.decisions import (
    Awarded,
    ClawedBack,
    Decision,
    Document,
    Exchanged,
    Facts,
    Original,
    Parked,
)
from services.accrual.domain.exchanged_goods import KnownExchange
from services.accrual.domain.exchanges import give_back
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.undoing import Undoable, claw_back
from services.accrual.domain.voids import lines_left
from shared.events.purchases import PurchaseData, PurchaseRecorded, ReceiptVoided, ReturnLine
from shared.receipt_key import natural_key_of


def handover_key(handover: bytes, prepaid: bytes) -> bytes:
    """What the side of a handover is called that takes back what a prepayment gave. It begins with the partner, as all
    keys do, and is no receipt's. Kept for ever: golden values hold it.
    """
    digest = blake2b(len(handover).to_bytes(4, "big") + handover + prepaid, digest_size=24, person=b"handover").digest()
    return handover[: handover.index(0) + 1] + b"~handover\0" + digest


def voided_side_key(void: bytes, handover: bytes, prepaid: bytes) -> bytes:
    """What the side of a handover's void is called that gives a prepayment back what it had."""
    return handover_key(void, handover_key(handover, prepaid))


def prepaid_keys(purchase: PurchaseData) -> list[bytes]:
    """The receipts in which a sale was paid ahead, as its handover names them."""
    return [natural_key_of(receipt_id) for receipt_id in purchase.prepaid_receipt_ids or ()]


def pays_ahead(purchase: PurchaseData) -> bool:
    """Whether a receipt takes money for goods that come later."""
    return any(line.settlement == "prepayment" for line in purchase.lines)


def decide_of_sale(document: Document, facts: Facts) -> list[Decision]:
    """What becomes of a document, and of what others of the same sale had earned: these come before it or after it.

    ``facts`` move with each. Nothing is taken where nothing is left of a prepayment, or its receipt is not decided yet.
    """
    if facts.handovers is None:
        return [decide_document(document, facts)]
    match document.event:
        case PurchaseRecorded() if document.prepaid_keys:
            return _decide_handover(document, facts)
        case PurchaseRecorded(data=purchase) if pays_ahead(purchase):
            return _decide_prepayment(document, facts)
        case ReceiptVoided():
            return _decide_void(document, facts)
        case _:
            return [decide_document(document, facts)]


def _decide_handover(document: Document, facts: Facts) -> list[Decision]:
    owner_id = facts.owners.get(document.natural_key)
    if owner_id is None or not isinstance(rules_for(document, owner_id, facts), RuleSet):
        return [decide_document(document, facts)]
    before = _Before(document, facts)
    taken = [one for key in document.prepaid_keys if (one := _take_back(document, key, facts)) is not None]
    given = decide_document(document, facts)
    if not isinstance(given, Awarded):  # it could earn, and would earn more than any receipt may
        before.restore(facts)
        return [given]
    if facts.handovers is not None:
        for key in document.prepaid_keys:
            facts.handovers.setdefault(key, []).append(document.natural_key)
    return [*taken, given]


def _decide_prepayment(document: Document, facts: Facts) -> list[Decision]:
    """Where its handover was decided before it, and stands, what the payment gave goes back at once."""
    given = decide_document(document, facts)
    if not isinstance(given, Awarded):
        return [given]
    taken = _take_back_for_others(document, document.natural_key, facts)
    return [given] if taken is None else [given, taken]


def _decide_void(document: Document, facts: Facts) -> list[Decision]:
    """Where a handover never was, its prepayments earn again what they had: they were paid."""
    key = document.original_key
    handover = facts.originals.get(key) if key is not None else None
    if key is None or handover is None or handover.purchase is None or not handover.purchase.prepaid_receipt_ids:
        return [decide_document(document, facts)]
    sides = {handover_key(key, prepaid): prepaid for prepaid in prepaid_keys(handover.purchase)}
    known = {
        side: found.exchange
        for side in sides
        if (found := facts.originals.get(side)) is not None and found.exchange is not None and found.voided_by is None
    }
    if any(exchange.is_new for exchange in known.values()):  # what it took, the ledger has not said yet
        return [Parked(document, "purchase", "purchase_not_decided_yet")]
    decision = decide_document(document, facts)
    if not isinstance(decision, ClawedBack):
        return [decision]
    undone: list[Decision] = []
    for side, exchange in known.items():
        undone.append(_undo_side(document, side, exchange, facts))
        # Another receipt may hand over what the same payment was for: then it is that one's.
        taken = _take_back_for_others(document, exchange.original_key, facts)
        undone += [] if taken is None else [taken]
    return [*undone, decision]


def _take_back_for_others(document: Document, prepaid: bytes, facts: Facts) -> ClawedBack | None:
    """Take back what a prepayment gave, for the first handover that names it and stands."""
    for key in (facts.handovers or {}).get(prepaid, ()):
        handover = facts.originals.get(key)
        if handover is None or handover.purchase is None or handover.voided_by is not None:
            continue
        event = PurchaseRecorded(
            id=document.event.id,
            source=document.event.source,
            subject=handover.purchase.receipt_id,
            time=document.event.time,
            data=handover.purchase,
        )
        return _take_back(Document.of(event, b""), prepaid, facts)
    return None


def _take_back(handover: Document, prepaid: bytes, facts: Facts) -> ClawedBack | None:
    """Take back what a prepayment gave for what was paid ahead; None where nothing of it is left."""
    original = facts.originals.get(prepaid)
    if original is None or original.state != "awarded" or original.owner_id is None or original.purchase is None:
        return None
    if original.voided_by is not None or original.rule_set_version == 0:
        return None
    if facts.rule_sets.version(original.rule_set_version).counted.prepayments != "at_payment":
        return None
    lines = _paid_ahead(original.purchase, original.returned_thousandths)
    if not lines:
        return None
    side = handover._replace(natural_key=handover_key(handover.natural_key, prepaid), original_key=prepaid)
    undoable = Undoable(prepaid, original, original.owner_id, original.purchase)
    taken = claw_back(side, lines, undoable, facts, "handover")
    if not isinstance(taken, ClawedBack):
        return None
    if taken.may_be_left and facts.earning is not None:
        facts.earning.move(taken.owner_id, -taken.points)
    facts.originals[side.natural_key] = Original(
        "awarded", taken.owner_id, exchange=KnownExchange(prepaid, is_new=True)
    )
    # Whatever the rules say of returns: the sale gives it again at the same time.
    return taken._replace(policy="debt", forgiving=None)


def _undo_side(document: Document, side: bytes, exchange: KnownExchange, facts: Facts) -> Exchanged:
    own = document._replace(natural_key=handover_key(document.natural_key, side), original_key=side)
    original = facts.originals[side]
    owner_id = facts.originals[exchange.original_key].owner_id or original.owner_id
    if owner_id is None:
        raise ValueError("nobody knows whose a prepayment was")
    back = give_back(own, side, exchange, facts)
    original.voided_by = own.natural_key
    return Exchanged(own, owner_id, ClawedBack(own, owner_id, side, 0, {}, cause="void"), given_back=back)


def _paid_ahead(purchase: PurchaseData, returned: Mapping[int, int]) -> list[ReturnLine]:
    ahead = {line.line_id for line in purchase.lines if line.settlement == "prepayment"}
    return [line for line in lines_left(purchase, dict(returned)) if line.original_line_id in ahead]


class _Before:
    """What a document's decision moves, as it was before it."""

    def __init__(self, document: Document, facts: Facts) -> None:
        self._originals = {
            key: replace(facts.originals[key]) for key in document.prepaid_keys if key in facts.originals
        }
        if facts.earning is not None:
            self._given_back = {counter: list(rows) for counter, rows in facts.earning.given_back.items()}
            self._budgets_taken = dict(facts.earning.budgets_taken)
            self._balances_moved = dict(facts.earning.balances_moved)

    def restore(self, facts: Facts) -> None:
        """Put it back."""
        facts.originals.update(self._originals)
        if facts.earning is not None:
            facts.earning.given_back.clear()
            facts.earning.given_back.update(self._given_back)
            facts.earning.budgets_taken.clear()
            facts.earning.budgets_taken.update(self._budgets_taken)
            facts.earning.balances_moved.clear()
            facts.earning.balances_moved.update(self._balances_moved)
