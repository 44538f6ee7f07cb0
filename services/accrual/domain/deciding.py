"""Decides one document, of whatever kind it is."""

from typing import assert_never, cast

from services.accrual.domain.deciding_purchases import decide_purchase
from services.accrual.domain.decisions import Decision, Document, Facts
from services.accrual.domain.exchanges import decide_exchange, decide_exchange_void, undoes_exchange
from services.accrual.domain.undoing import decide_return
from services.accrual.domain.unlinked_returns import decide_unlinked_return
from services.accrual.domain.voids import decide_void
from shared.events.purchases import ExchangeRecorded, PurchaseRecorded, ReceiptCorrected, ReceiptVoided, ReturnRecorded


def decide_document(document: Document, facts: Facts) -> Decision:
    """What becomes of a document. Those of one owner are decided in their order: ``facts`` move with each.

    A correction is not decided here, beside others: ``use_cases.correct_receipt`` does, alone.
    """
    event = document.event
    if type(event) is PurchaseRecorded:  # models are slow to ask whether something is an instance
        return decide_purchase(document, event, facts)
    match cast("ReturnRecorded | ExchangeRecorded | ReceiptVoided | ReceiptCorrected", event):
        case ReturnRecorded() as returned if document.original_key is None:
            return decide_unlinked_return(document, returned, facts)
        case ReturnRecorded() as returned:
            return decide_return(document, returned, facts)
        case ExchangeRecorded() as exchange:
            return decide_exchange(document, exchange, facts)
        case ReceiptVoided() as void if undoes_exchange(document, facts):
            return decide_exchange_void(document, void, facts)
        case ReceiptVoided() as void:
            return decide_void(document, void, facts)
        case ReceiptCorrected():
            raise TypeError("a correction is decided alone in its transaction")
        case never:
            assert_never(never)
