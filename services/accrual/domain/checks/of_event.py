"""Predicates over what a member event says. A receipt says nothing of it, and matches none."""

from services.accrual.domain.checks.check import Check
from services.accrual.domain.checks.of_receipt import range_words
from services.accrual.domain.judged_receipt import JudgedReceipt
from services.accrual.domain.rules.predicates_of_event import PayloadIs, PayloadNumber

_NOTHING = "not said"


def payload(predicate: PayloadIs) -> Check:
    """What it says under the property is one of these."""
    name, values, required = predicate.property, frozenset(predicate.values), " or ".join(predicate.values)
    return Check(
        name, lambda receipt: receipt.said(name) in values, lambda receipt: (required, receipt.said(name) or _NOTHING)
    )


def payload_number(predicate: PayloadNumber) -> Check:
    """The number that it says under the property lies between these."""
    name, least, most = predicate.property, predicate.at_least or 0, predicate.at_most
    required = range_words(None if predicate.at_least is None else str(least), None if most is None else str(most))

    def holds(receipt: JudgedReceipt) -> bool:
        if receipt.said(name) is None:
            return False
        observed = receipt.number_said(name)
        return observed >= least and (most is None or observed <= most)

    return Check(name, holds, lambda receipt: (required, receipt.said(name) or _NOTHING))
