"""Predicates over the member: what was bought before, and what the member is."""

from services.accrual.domain.checks.check import Check
from services.accrual.domain.checks.of_receipt import range_words
from services.accrual.domain.earning_facts import Activity, MissingFactError
from services.accrual.domain.judged_receipt import JudgedReceipt
from services.accrual.domain.rules.needs import ActivityKey, activity_key, groups_named
from services.accrual.domain.rules.predicates_of_attributes import (
    AttributeDate,
    AttributeIs,
    AttributeNumber,
    AttributeTest,
)
from services.accrual.domain.rules.predicates_of_member import (
    DaysSincePurchase,
    FirstPurchase,
    InCampaign,
    InSegment,
    NthPurchase,
    SpendIs,
    TierIs,
)
from services.accrual.domain.settlement import is_visit
from shared.money import format_money

_NOT_WHOLE = "not known: the member joined before purchases were counted"
_NO_PURCHASE = "no purchase: goods for goods, and nothing paid on top"


def first_purchase(predicate: FirstPurchase) -> Check:
    """Nothing was counted before."""
    key = activity_key(predicate)
    where = "" if predicate.at == "programme" else " at this partner"

    def holds(receipt: JudgedReceipt) -> bool:
        activity = _activity(receipt, key)
        return activity.purchases == 0 and activity.is_whole and is_visit(receipt.purchase)

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        if not is_visit(receipt.purchase):
            return f"0{where}", _NO_PURCHASE
        activity = _activity(receipt, key)
        return f"0{where}", str(activity.purchases) if activity.purchases or activity.is_whole else _NOT_WHOLE

    return Check("purchases before this one", holds, words)


def nth(predicate: NthPurchase) -> Check:
    """The nth purchase or visit of the window."""
    key, wanted, repeats = activity_key(predicate), predicate.nth, predicate.repeats
    counts_visits = predicate.counted == "visits"

    def number(receipt: JudgedReceipt) -> int | None:
        activity = _activity(receipt, key)
        if not activity.is_whole or (counts_visits and activity.is_same_day) or not is_visit(receipt.purchase):
            return None
        return (activity.days if counts_visits else activity.purchases) + 1

    def holds(receipt: JudgedReceipt) -> bool:
        observed = number(receipt)
        if observed is None:
            return False
        return observed % wanted == 0 if repeats else observed == wanted

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        observed = number(receipt)
        required = f"every {_ordinal(wanted)}" if repeats else f"the {_ordinal(wanted)}"
        if observed is not None:
            return required, str(observed)
        if not is_visit(receipt.purchase):
            return required, _NO_PURCHASE
        return required, "not the day's first purchase" if _activity(receipt, key).is_whole else _NOT_WHOLE

    window = key.unit if key.unit != "rolling" else f"{key.days} days"
    return Check(f"{predicate.counted} of the {window}" if key.unit != "ever" else predicate.counted, holds, words)


def spend(predicate: SpendIs) -> Check:
    """What the window's receipts earned on, this one included."""
    key, least, most = activity_key(predicate), predicate.at_least_minor or 0, predicate.at_most_minor

    def spent_minor(receipt: JudgedReceipt) -> int:
        return _activity(receipt, key).spend_minor + receipt.base.total_minor

    def holds(receipt: JudgedReceipt) -> bool:
        return least <= (observed := spent_minor(receipt)) and (most is None or observed <= most)

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        currency = receipt.purchase.currency
        required = range_words(
            None if predicate.at_least_minor is None else format_money(least, currency),
            None if most is None else format_money(most, currency),
        )
        return required, format_money(spent_minor(receipt), currency)

    return Check("spend, this receipt included", holds, words)


def days_since_purchase(predicate: DaysSincePurchase) -> Check:
    """Days from the last purchase before this one."""
    key, least, most = activity_key(predicate), predicate.at_least or 0, predicate.at_most
    required = range_words(None if predicate.at_least is None else str(least), None if most is None else str(most))

    def days(receipt: JudgedReceipt) -> int | None:
        last_on = _activity(receipt, key).last_on
        return None if last_on is None else (receipt.local(predicate.zone).date() - last_on).days

    def holds(receipt: JudgedReceipt) -> bool:
        observed = days(receipt)
        is_met = observed is not None and observed >= least and (most is None or observed <= most)
        return is_met and is_visit(receipt.purchase)

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        observed = days(receipt)
        if not is_visit(receipt.purchase):
            return required, _NO_PURCHASE
        return required, "no purchase before" if observed is None else str(observed)

    return Check("days since the last purchase", holds, words)


def tier(predicate: TierIs) -> Check:
    """One of these tiers."""
    tiers, required = frozenset(predicate.tiers), " or ".join(predicate.tiers)
    return Check(
        "tier",
        lambda receipt: receipt.facts.member.tier in tiers,
        lambda receipt: (required, receipt.facts.member.tier or "none"),
    )


def household() -> Check:
    """The member belongs to a household."""
    return Check(
        "household",
        lambda receipt: receipt.facts.member.is_in_household,
        lambda receipt: ("a member of one", "a member of one" if receipt.facts.member.is_in_household else "none"),
    )


def groups(predicate: InSegment | InCampaign) -> Check:
    """The member belongs to one of these groups."""
    named = frozenset(groups_named(predicate))
    required = " or ".join(code for _, code in groups_named(predicate))

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        return required, ", ".join(sorted(code for _, code in named & receipt.facts.member.groups)) or "none of them"

    what = "segment" if isinstance(predicate, InSegment) else "campaign joined"
    return Check(what, lambda receipt: not named.isdisjoint(receipt.facts.member.groups), words)


def attribute(test: AttributeTest) -> Check:
    """What is said of the member meets the test. The value itself is not told: a trace may be shown at a till."""
    match test:
        case AttributeIs(values=values):
            required = " or ".join(values)
        case AttributeNumber(at_least=least, at_most=most):
            required = range_words(least, most)
        case AttributeDate(from_date=first, until_date=last):
            required = range_words(*(None if day is None else day.isoformat() for day in (first, last)))

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        return required, "so" if test in receipt.facts.member.attributes else "something else, or nothing"

    return Check(f"attribute {test.code}", lambda receipt: test in receipt.facts.member.attributes, words)


def _activity(receipt: JudgedReceipt, key: ActivityKey) -> Activity:
    found = receipt.facts.activity.get(key)
    if found is None:
        raise MissingFactError(f"what was bought before: {key.at}, {key.unit}")
    return found


def _ordinal(number: int) -> str:
    is_teen = number // 10 % 10 == 1
    return f"{number}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
