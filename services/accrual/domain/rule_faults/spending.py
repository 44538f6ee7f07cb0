"""Limits on what points may be spent: names that nobody bears, and days that are over."""

from collections.abc import Iterator

from services.accrual.domain.rule_faults.known import Known
from services.accrual.domain.rule_faults.naming import category_faults, partner_faults, store_faults
from services.accrual.domain.rules.funding import SpendingLimits
from shared.faults import Fault, below


def spending_faults(limits: SpendingLimits | None, pointer: str, known: Known) -> Iterator[Fault]:
    """Why nobody could ever spend the points that a rule or a campaign gives; ``pointer`` is its own."""
    if limits is None:
        return
    at = below(pointer, "limits")
    if known.partners:
        yield from partner_faults(limits.partners, below(at, "partners"), known)
        yield from store_faults(limits.stores, below(at, "stores"), known)
        about = frozenset(limits.partners) | {store.partner_id for store in limits.stores} or known.partners
        yield from category_faults(limits.categories, below(at, "categories"), about, known)
    lasts = [window.until_date for window in limits.dates]
    if known.earliest is not None and lasts and all(last is not None and last < known.earliest for last in lasts):
        yield Fault(below(at, "dates"), "these days are over before the rule set can take effect")
