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
from services.accrual.domain.counters import Counted, CountedAsk, activity_ask, cap_ask
from services.accrual.domain.earning_facts import Activity, EarningFacts, Left, MemberFacts, Used
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import ActivityKey, CapKey, CountedPlace, Needs, activity_name

# A balance that is not known caps nothing.
_UNKNOWN_BALANCE = -(10**15)
_UNUSED = Used()


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
        or (draft.tier_percent and not live.tier_percent)
        or (draft.household and not live.household)
    )


class _Stored(NamedTuple):
    """Which of the draft's facts are stored with what a version has awarded, and the names of its caps.

    ``member``: all that the draft asks of members, but for groups and attributes.
    """

    programme_zone: bool
    store_zone: bool
    store_group: bool
    near_birthday: bool
    enrolled_at: bool
    tier: bool
    tier_percent: bool
    household: bool
    member: bool
    caps: frozenset[str]


def _stored_by(live: Needs, draft: Needs) -> _Stored:
    has_birthdays = set(draft.birthdays) <= set(live.birthdays)
    # Whether all purchases ever made were counted depends on when the member joined.
    asks_enrolled_at = draft.enrolled_at or any(key.unit == "ever" for key in draft.activity)
    return _Stored(
        live.programme_zone,
        live.store_zone,
        live.store_group,
        has_birthdays,
        live.enrolled_at,
        live.tier,
        live.tier_percent,
        live.household,
        has_birthdays
        and (live.enrolled_at or not asks_enrolled_at)
        and (live.tier or not draft.tier)
        and (live.tier_percent or not draft.tier_percent)
        and (live.household or not draft.household),
        frozenset(cap.name for cap in live.member_caps),
    )


def known_facts(receipt: AwardedReceipt, draft: Needs) -> EarningFacts:
    """What does not depend on what was given: as it was stored with the award where it was, else as it is known now."""
    return _known(receipt, _stored_by(receipt.rule_set.needs, draft))


def _known(receipt: AwardedReceipt, has: _Stored) -> EarningFacts:
    stored, loaded = receipt.stored, receipt.loaded
    return EarningFacts(
        stored.programme_zone if has.programme_zone else loaded.programme_zone,
        stored.store_zone if has.store_zone else loaded.store_zone,
        stored.store_group if has.store_group else loaded.store_group,
        _member(stored.member, loaded.member, receipt.rule_set.needs, has),
        loaded.activity,
        loaded.used,
        loaded.budgets,
        stored.balance,
        loaded.decided_after,
    )


def _member(was: MemberFacts, now: MemberFacts, live: Needs, has: _Stored) -> MemberFacts:
    if has.member and not now.groups and not now.attributes:
        return was
    return MemberFacts(
        was.near_birthday if has.near_birthday else now.near_birthday,
        was.enrolled_at if has.enrolled_at else now.enrolled_at,
        was.tier if has.tier else now.tier,
        was.is_in_household if has.household else now.is_in_household,
        was.groups | now.groups.difference(live.groups) if now.groups else was.groups,
        was.attributes | now.attributes.difference(live.attributes) if now.attributes else was.attributes,
        was.tier_percent if has.tier_percent else now.tier_percent,
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
        self._asks = bool(draft.needs.activity or draft.needs.member_caps or draft.needs.budgets or draft.needs.balance)
        self._stored: dict[int, _Stored] = {}  # by version in force
        self._places = {key: CountedPlace(key.at, key.zone) for key in draft.needs.activity}
        self._told = told
        self._begins_on = begins_on
        self._budgets = {one.id: one.budget for one in draft.campaigns if one.budget is not None}

    def of(self, receipt: AwardedReceipt, points_ahead: int, before: Before) -> EarningFacts:
        """All that the draft judges the receipt by."""
        version = receipt.rule_set.version
        has = self._stored.get(version)
        if has is None:
            has = self._stored[version] = _stored_by(receipt.rule_set.needs, self._draft.needs)
        known, needs = _known(receipt, has), self._draft.needs
        if not self._asks:
            return known
        return EarningFacts(  # in the order of its fields: by name it takes longer
            known.programme_zone,
            known.store_zone,
            known.store_group,
            known.member,
            {key: self._activity(key, receipt, known, before) for key in needs.activity},
            {cap.name: self._used(cap, receipt, known, is_live=cap.name in has.caps) for cap in needs.member_caps},
            {name: self._left(name, receipt) for name in needs.budgets},
            _UNKNOWN_BALANCE if known.balance is None else known.balance + points_ahead,
            known.decided_after,
        )

    def take(self, name: str, drafted: Used, awarded: Used) -> None:
        """What a receipt takes of a budget, and what it took."""
        self.budgets_drafted[name] = _plus(self.budgets_drafted.get(name, Used()), drafted)
        self._budgets_awarded[name] = _plus(self._budgets_awarded.get(name, Used()), awarded)

    def _used(self, cap: CapKey, receipt: AwardedReceipt, known: EarningFacts, *, is_live: bool) -> Used:
        owner_id, name = receipt.owner_id, cap.name
        met = receipt.stored.used[name] if is_live else _UNUSED
        counted = self.ahead if is_live else self.drafted
        if not counted.has(owner_id, name):
            return met
        more = counted.used(owner_id, name, cap_ask(owner_id, cap, receipt.purchase, known).days)
        return Used(max(0, met.points + more.points), max(0, met.receipts + more.receipts))

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
        place = self._places[key]
        if place in self._told.always:
            met = receipt.stored.activity[key]
            if not self.ahead.has(receipt.owner_id, activity_name(key.at, key.zone, receipt.purchase.partner_id)):
                return met
            ask = activity_ask(receipt.owner_id, key, receipt.purchase, known)
            ahead = self.ahead.used(receipt.owner_id, ask.name, ask.days)
            return met._replace(spend_minor=max(0, met.spend_minor + ahead.points))
        ask = activity_ask(receipt.owner_id, key, receipt.purchase, known)
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
