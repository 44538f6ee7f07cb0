"""The facts by which a draft judges a receipt of the past.

Whatever was counted is taken as the receipt met it (it is stored with the award), and put right by what the draft would
have given so far less what was given. So rules that were in force give what was awarded, to the last point, whatever
was counted before the period, came late or came back. What no version in force counted begins at the period's start,
as it would have, had the draft taken effect then.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.accrual.domain.backtests.counters import Counters
from services.accrual.domain.backtests.receipts import AwardedReceipt
from services.accrual.domain.backtests.told import Told
from services.accrual.domain.earning_facts import Activity, EarningFacts, Left, Used
from services.accrual.domain.earning_of_batch import Counted, CountedAsk, activity_ask, cap_ask
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import ActivityKey, CapKey, CountedPlace, Needs

# A balance that is not known caps nothing.
_UNKNOWN_BALANCE = -(10**15)


class Before(NamedTuple):
    """What was counted before the period, where no version in force tells of it: ``counted`` by question, and since
    when each place is counted.
    """

    counted: Mapping[CountedAsk, Counted]
    since: Mapping[CountedPlace, datetime]


def lacks_facts(draft: Needs, live: Needs, told: Told) -> bool:
    """Whether a draft asks for something that is not stored with what the version in force awarded."""
    return (
        not set(draft.birthdays) <= set(live.birthdays)
        or not set(draft.groups) <= set(live.groups)
        or not set(draft.attributes) <= set(live.attributes)
        or any(True for _ in untold(draft, told))
        or (draft.store_zone and not live.store_zone)
        or (draft.store_group and not live.store_group)
        or (draft.enrolled_at and not live.enrolled_at)
        or (draft.tier and not live.tier)
        or (draft.household and not live.household)
    )


def known_facts(receipt: AwardedReceipt, draft: Needs) -> EarningFacts:
    """What does not depend on what was given: as it was stored with the award where it was, else as it is known now."""
    live, stored, loaded = receipt.rule_set.needs, receipt.stored, receipt.loaded
    was, now = stored.member, loaded.member
    return loaded._replace(
        programme_zone=stored.programme_zone if live.programme_zone else loaded.programme_zone,
        store_zone=stored.store_zone if live.store_zone else loaded.store_zone,
        store_group=stored.store_group if live.store_group else loaded.store_group,
        member=now._replace(
            near_birthday=was.near_birthday if set(draft.birthdays) <= set(live.birthdays) else now.near_birthday,
            enrolled_at=was.enrolled_at if live.enrolled_at else now.enrolled_at,
            tier=was.tier if live.tier else now.tier,
            is_in_household=was.is_in_household if live.household else now.is_in_household,
            groups=was.groups | now.groups.difference(live.groups),
            attributes=was.attributes | now.attributes.difference(live.attributes),
        ),
        balance=stored.balance,
    )


def untold(draft: Needs, told: Told) -> Iterator[ActivityKey]:
    """What a draft asks of purchases, and not every version in force did: that is counted by the backtest itself."""
    return (key for key in draft.activity if CountedPlace(key.at, key.zone) not in told.always)


def asks_before(receipt: AwardedReceipt, draft: Needs, told: Told, begins_on: date) -> Iterator[CountedAsk]:
    """What must be read of counters from before the period, to judge this receipt by the draft."""
    for key in untold(draft, told):
        known = known_facts(receipt, draft)
        ask = activity_ask(receipt.owner_id, key, receipt.purchase, known)
        if ask.days.first < begins_on:
            yield _until(ask, begins_on)


class CountedFacts:
    """Facts that depend on what was given so far: counters, caps, budgets, the balance.

    ``drafted`` is what the draft would have counted since the period began, ``ahead`` how much more that is than what
    was counted. Of budgets, by campaign, ``budgets_drafted`` is what the draft would have given.
    """

    def __init__(self, draft: RuleSet, begins_on: date, told: Told) -> None:
        self.drafted = Counters()
        self.ahead = Counters()
        self.budgets_drafted: dict[str, Used] = {}
        self._budgets_awarded: dict[str, Used] = {}
        self._budgets_before: dict[str, Used] = {}
        self._draft = draft
        self._told = told
        self._begins_on = begins_on
        self._budgets = {one.id: one.budget for one in draft.campaigns if one.budget is not None}

    def of(self, receipt: AwardedReceipt, known: EarningFacts, points_ahead: int, before: Before) -> EarningFacts:
        """All that the draft judges the receipt by."""
        needs = self._draft.needs
        if not needs.activity and not needs.member_caps and not needs.budgets and not needs.balance:
            return known
        live_caps = {cap.name for cap in receipt.rule_set.needs.member_caps}
        return known._replace(
            activity={key: self._activity(key, receipt, known, before) for key in needs.activity},
            used={
                cap.name: self._used(cap, receipt, known, is_live=cap.name in live_caps) for cap in needs.member_caps
            },
            budgets={name: self._left(name, receipt) for name in needs.budgets},
            balance=_UNKNOWN_BALANCE if known.balance is None else known.balance + points_ahead,
        )

    def take(self, name: str, drafted: Used, awarded: Used) -> None:
        """What a receipt takes of a budget, and what it took."""
        self.budgets_drafted[name] = _plus(self.budgets_drafted.get(name, Used()), drafted)
        self._budgets_awarded[name] = _plus(self._budgets_awarded.get(name, Used()), awarded)

    def _used(self, cap: CapKey, receipt: AwardedReceipt, known: EarningFacts, *, is_live: bool) -> Used:
        owner_id, name = receipt.owner_id, cap.name
        days = cap_ask(owner_id, cap, receipt.purchase, known).days
        if not is_live:
            drafted = self.drafted.used(owner_id, name, days)
            return Used(max(0, drafted.points), max(0, drafted.receipts))
        met, ahead = receipt.stored.used[name], self.ahead.used(owner_id, name, days)
        return Used(max(0, met.points + ahead.points), max(0, met.receipts + ahead.receipts))

    def _left(self, name: str, receipt: AwardedReceipt) -> Left:
        """What the draft's budget grants: of what was used beside the receipts that are judged, the award tells."""
        budget, met = self._budgets[name], receipt.stored.budgets.get(name)
        before = self._budgets_before.get(name, Used())
        if met is not None:
            awarded = self._budgets_awarded.get(name, Used())
            live = next(one.budget for one in receipt.rule_set.campaigns if one.id == name)
            points_max, receipts_max = (None, None) if live is None else (live.points_max, live.receipts_max)
            before = self._budgets_before[name] = Used(
                _used_before(points_max, met.points, awarded.points, before.points),
                _used_before(receipts_max, met.receipts, awarded.receipts, before.receipts),
            )
        used = _plus(before, self.budgets_drafted.get(name, Used()))
        return Left(
            None if budget.points_max is None else max(0, budget.points_max - used.points),
            None if budget.receipts_max is None else max(0, budget.receipts_max - used.receipts),
        )

    def _activity(self, key: ActivityKey, receipt: AwardedReceipt, known: EarningFacts, before: Before) -> Activity:
        ask = activity_ask(receipt.owner_id, key, receipt.purchase, known)
        place = CountedPlace(key.at, key.zone)
        if place in self._told.always:
            met = receipt.stored.activity[key]
            ahead = self.ahead.used(receipt.owner_id, ask.name, ask.days)
            return met._replace(spend_minor=max(0, met.spend_minor + ahead.points))
        found = before.counted.get(_until(ask, self._begins_on), Counted())
        since = before.since.get(place)
        enrolled_at = known.member.enrolled_at
        rows = list(self.drafted.within(receipt.owner_id, ask.name, ask.days))
        bought_on = {row.day for row in rows if row.receipts > 0}
        last_on = max((day for day in (*bought_on, found.last_on) if day is not None and day <= ask.day), default=None)
        return Activity(
            purchases=found.receipts + sum(row.receipts for row in rows),
            days=found.days + len(bought_on - {ask.day}),
            is_same_day=found.is_same_day or ask.day in bought_on,
            spend_minor=max(0, found.amount + sum(row.amount for row in rows)),
            last_on=last_on,
            is_whole=key.unit != "ever" or (since is not None and enrolled_at is not None and enrolled_at >= since),
        )


def _plus(one: Used, other: Used) -> Used:
    return Used(one.points + other.points, one.receipts + other.receipts)


def _used_before(budget_max: int | None, left: int | None, awarded: int, known: int) -> int:
    """How much of a budget others have used, by what was ``left`` when so much was taken; at least, of none left."""
    if budget_max is None or left is None:
        return known
    used = budget_max - left - awarded
    return used if left else max(known, used)


def _until(ask: CountedAsk, begins_on: date) -> CountedAsk:
    """The part of a window that lies before the period."""
    last = min(ask.days.last, begins_on - timedelta(days=1))
    return ask._replace(days=ask.days._replace(last=last))
