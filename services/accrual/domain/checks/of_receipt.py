"""Predicates over the document: where it was issued, what stands in it, how it was paid."""

from collections.abc import Callable

from services.accrual.domain.checks.check import Check
from services.accrual.domain.checks.of_lines import line_words
from services.accrual.domain.judged_receipt import JudgedReceipt, LineCheck
from services.accrual.domain.rules.line_tests import LineTest
from services.accrual.domain.rules.predicates_of_receipt import (
    AmountIs,
    BasketSizeIs,
    Bundle,
    ChannelIs,
    Contains,
    HasCoupon,
    PaidBy,
    PartnerIs,
    QuantityIs,
    StoreGroupIs,
    StoreIs,
)
from shared.money import format_money

LineChecks = Callable[[LineTest | None], LineCheck | None]


def partner(predicate: PartnerIs) -> Check:
    """One of these partners."""
    partners, required = frozenset(predicate.partners), " or ".join(predicate.partners)
    return Check(
        "partner",
        lambda receipt: receipt.purchase.partner_id in partners,
        lambda receipt: (required, receipt.purchase.partner_id),
    )


def store(predicate: StoreIs) -> Check:
    """One of these stores."""
    stores = frozenset((one.partner_id, one.store_id) for one in predicate.stores)
    required = " or ".join(f"{one.partner_id}/{one.store_id}" for one in predicate.stores)
    return Check(
        "store",
        lambda receipt: (receipt.purchase.partner_id, receipt.purchase.store_id) in stores,
        lambda receipt: (required, f"{receipt.purchase.partner_id}/{receipt.purchase.store_id}"),
    )


def store_group(predicate: StoreGroupIs) -> Check:
    """A store of one of these groups."""
    groups = frozenset((one.partner_id, one.group) for one in predicate.groups)
    required = " or ".join(f"{one.partner_id}/{one.group}" for one in predicate.groups)
    return Check(
        "store group",
        lambda receipt: (receipt.purchase.partner_id, receipt.facts.store_group) in groups,
        lambda receipt: (required, f"{receipt.purchase.partner_id}/{receipt.facts.store_group or 'none'}"),
    )


def channel(predicate: ChannelIs) -> Check:
    """One of these channels."""
    channels, required = frozenset(predicate.channels), " or ".join(predicate.channels)
    return Check(
        "channel",
        lambda receipt: receipt.purchase.channel in channels,
        lambda receipt: (required, receipt.purchase.channel or "none"),
    )


def contains(predicate: Contains, checks: LineChecks) -> Check:
    """At least one line of these."""
    check, required = checks(predicate.lines), f"at least one line of {line_words(predicate.lines)}"
    return Check(
        "basket",
        lambda receipt: bool(receipt.kept_lines(check)),
        lambda receipt: (required, str(len(receipt.kept_lines(check)))),
    )


def amount(predicate: AmountIs, checks: LineChecks) -> Check:
    """What earns of these lines."""
    check, least, most = checks(predicate.lines), predicate.at_least_minor or 0, predicate.at_most_minor
    of = line_words(predicate.lines)

    def holds(receipt: JudgedReceipt) -> bool:
        observed = receipt.amount_minor(check)
        return observed >= least and (most is None or observed <= most)

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        currency = receipt.purchase.currency
        required = range_words(
            None if predicate.at_least_minor is None else format_money(least, currency),
            None if most is None else format_money(most, currency),
        )
        return required, format_money(receipt.amount_minor(check), currency)

    return Check(f"what earns of {of}", holds, words)


def quantity(predicate: QuantityIs, checks: LineChecks) -> Check:
    """How much was bought of these lines."""
    check, least, most = checks(predicate.lines), predicate.at_least_thousandths or 0, predicate.at_most_thousandths
    required = range_words(
        None if predicate.at_least_thousandths is None else units(least), None if most is None else units(most)
    )

    def holds(receipt: JudgedReceipt) -> bool:
        observed = receipt.kept_quantity(check)
        return observed >= least and (most is None or observed <= most)

    return Check(
        f"quantity of {line_words(predicate.lines)}",
        holds,
        lambda receipt: (required, units(receipt.kept_quantity(check))),
    )


def basket_size(predicate: BasketSizeIs, checks: LineChecks) -> Check:
    """How many different articles were bought."""
    check, least, most = checks(predicate.lines), predicate.at_least or 0, predicate.at_most
    required = range_words(None if predicate.at_least is None else str(least), None if most is None else str(most))

    def articles(receipt: JudgedReceipt) -> int:
        lines = receipt.purchase.lines
        return len({lines[number].sku for number in receipt.kept_lines(check)})

    def holds(receipt: JudgedReceipt) -> bool:
        observed = articles(receipt)
        return observed >= least and (most is None or observed <= most)

    return Check(
        f"different articles of {line_words(predicate.lines)}",
        holds,
        lambda receipt: (required, str(articles(receipt))),
    )


def bundle(predicate: Bundle, checks: LineChecks) -> Check:
    """All of the parts."""
    parts = tuple((checks(part.lines), part.thousandths) for part in predicate.parts)

    def holds(receipt: JudgedReceipt) -> bool:
        return all(receipt.kept_quantity(check) >= thousandths for check, thousandths in parts)

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        required = " and ".join(f"{units(part.thousandths)} of {line_words(part.lines)}" for part in predicate.parts)
        return required, " and ".join(units(receipt.kept_quantity(check)) for check, _ in parts)

    return Check("bundle", holds, words)


def paid_by(predicate: PaidBy) -> Check:
    """So much was paid by these tenders."""
    kinds, least = frozenset(predicate.tenders), predicate.at_least_minor

    def paid_minor(receipt: JudgedReceipt) -> int:
        return sum([tender.amount_minor for tender in receipt.purchase.tenders if tender.kind in kinds])

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        currency = receipt.purchase.currency
        required = f"at least {format_money(least, currency)} by {' or '.join(predicate.tenders)}"
        return required, format_money(paid_minor(receipt), currency)

    return Check("tender", lambda receipt: paid_minor(receipt) >= least, words)


def coupon(predicate: HasCoupon) -> Check:
    """One of these coupons was used."""
    codes, required = frozenset(predicate.codes), " or ".join(predicate.codes)
    return Check(
        "coupon",
        lambda receipt: not codes.isdisjoint(receipt.purchase.coupons or ()),
        lambda receipt: (required, ", ".join(receipt.purchase.coupons or ()) or "none"),
    )


def range_words(least: str | None, most: str | None) -> str:
    """``at least 3``, ``at most 5``, or ``3 to 5``."""
    if least is None:
        return f"at most {most}"
    return f"at least {least}" if most is None else f"{least} to {most}"


def units(thousandths: int) -> str:
    """Thousandths of a unit as people write them: 1500 is ``1.5``."""
    return f"{thousandths // 1000}.{thousandths % 1000:03d}".rstrip("0").rstrip(".")
