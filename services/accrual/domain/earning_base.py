"""How much of each line earns: without excluded goods, and without the part paid by excluded tenders.

What an excluded tender paid leaves all lines in proportion to their amounts, to the last minor unit: whole minor units
by largest remainder, the lowest line first among equals, so that the parts always add up to the whole.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from services.accrual.domain.category_mapping import UNMAPPED, Categories
from services.accrual.domain.exchanged_goods import GoodsTaken
from services.accrual.domain.rules.counted import AS_PAID, Counted, Exclusions
from services.accrual.domain.settlement import earns_now
from shared.events.purchases import PurchaseData, PurchaseLine, Tender
from shared.money import share_out

_NOTHING: Mapping[int, int] = {}


class EarningBase(NamedTuple):
    """The earning amounts of a receipt, line by line, in the order of the lines.

    ``categories`` are paths in the programme's tree, by ``mapping_version`` of the partner's mapping (0: it has none);
    ``excluded_skus`` are articles that earn nothing by the same version.
    """

    categories: tuple[tuple[str, ...], ...]
    amounts_minor: tuple[int, ...]
    total_minor: int
    excluded_minor: int
    mapping_version: int
    excluded_skus: frozenset[str] = frozenset()


def earning_base(
    purchase: PurchaseData, exclusions: Exclusions, categories: Categories = UNMAPPED, counted: Counted = AS_PAID
) -> EarningBase:
    """The base of a whole purchase."""
    excluded = _paid_by(purchase.tenders, exclusions.tenders)
    amounts = [line.amount_minor for line in purchase.lines if line.settlement is None]
    if len(amounts) != len(purchase.lines) or (counted is not AS_PAID and not counted.is_as_paid):
        amounts = counted_amounts(purchase, counted)
        excluded = _share_of_paid(purchase, excluded + _paid_ahead_somewhere(purchase, counted), sum(amounts))
    elif excluded:
        excluded = min(excluded, sum(amounts))
    return _base(purchase.lines, amounts, excluded, exclusions, categories)


def base_after_returns(
    purchase: PurchaseData,
    exclusions: Exclusions,
    returned_thousandths: Mapping[int, int],
    categories: Categories = UNMAPPED,
    counted: Counted = AS_PAID,
) -> EarningBase:
    """The base of what the member kept, ``returned_thousandths`` being quantities by line id.

    Excluded tenders keep their share of the receipt, rounded down: what came back was paid the way the whole was.
    """
    amounts = counted_amounts(purchase, counted, returned_thousandths)
    paid = _paid_by(purchase.tenders, exclusions.tenders) + _paid_ahead_somewhere(purchase, counted)
    excluded = _share_of_paid(purchase, paid, sum(amounts))
    return _base(purchase.lines, amounts, excluded, exclusions, categories)


def counted_amounts(
    purchase: PurchaseData, counted: Counted, returned_thousandths: Mapping[int, int] = _NOTHING
) -> list[int]:
    """What the lines are taken to be worth, as far as they were kept, before any exclusion."""
    return [
        _kept_minor(_counted_minor(line, counted), line, returned_thousandths.get(line.line_id, 0))
        for line in purchase.lines
    ]


def _base(
    lines: Sequence[PurchaseLine],
    amounts: list[int],
    excluded_minor: int,
    exclusions: Exclusions,
    categories: Categories,
) -> EarningBase:
    paths = categories.paths_of([line.category for line in lines])
    if excluded_minor:
        amounts = [
            amount - left_out for amount, left_out in zip(amounts, share_out(excluded_minor, amounts), strict=True)
        ]
    if exclusions.categories:
        never = exclusions.never
        if not never.isdisjoint(chain.from_iterable(paths)):  # of most receipts nothing is: asked once is faster
            amounts = [amount if never.isdisjoint(path) else 0 for path, amount in zip(paths, amounts, strict=True)]
    excluded_skus: frozenset[str] = frozenset()
    if categories.names_articles and (excluded_skus := categories.excluded_of(line.sku for line in lines)):
        amounts = [0 if line.sku in excluded_skus else amount for line, amount in zip(lines, amounts, strict=True)]
    return EarningBase(paths, tuple(amounts), sum(amounts), excluded_minor, categories.version, excluded_skus)


def _paid_by(tenders: Sequence[Tender], kinds: Collection[str]) -> int:
    return sum([tender.amount_minor for tender in tenders if tender.kind in kinds])


def _paid_ahead_somewhere(purchase: PurchaseData, counted: Counted) -> int:
    """What was paid ahead in receipts that nobody names, where it has earned then: it would earn twice.

    What had been paid ahead for goods that are exchanged was named where they were handed over.
    """
    if counted.prepayments == "at_handover" or purchase.prepaid_receipt_ids or isinstance(purchase, GoodsTaken):
        return 0
    return _paid_by(purchase.tenders, ("prepaid",))


def _share_of_paid(purchase: PurchaseData, excluded_minor: int, counted_minor: int) -> int:
    """What of the counted amount was paid by excluded tenders, rounded down."""
    paid_minor = sum([line.amount_minor for line in purchase.lines])
    return min(excluded_minor, paid_minor) * counted_minor // paid_minor if paid_minor else 0


def _counted_minor(line: PurchaseLine, counted: Counted) -> int:
    if not earns_now(line, counted) or (line.kind is not None and line.kind in counted.left_out):
        return 0
    amount = line.amount_minor
    if counted.discounts == "included" and line.discount_minor is not None:
        amount += line.discount_minor
    if counted.tax == "left_out" and line.tax_minor is not None:
        amount -= line.tax_minor
    return max(0, amount)


def _kept_minor(amount_minor: int, line: PurchaseLine, returned_thousandths: int) -> int:
    if returned_thousandths >= line.quantity_thousandths:
        return 0 if returned_thousandths else amount_minor
    kept = line.quantity_thousandths - returned_thousandths
    return amount_minor * kept // line.quantity_thousandths
