"""The facts of an award as they are stored with it: only those that its rule set needs, in a few bytes.

A return is judged by them, and the trace is derived from them again, whatever has become of store and member since.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from services.accrual.domain.earning_facts import NO_FACTS, Activity, EarningFacts, Left, MemberFacts, Used
from services.accrual.domain.rules.needs import Needs

_Named = TypeVar("_Named")


def facts_to_store(facts: EarningFacts, needs: Needs) -> dict[str, Any]:
    """What is stored, ready for JSON. What a rule set counts stands in the order in which it says so."""
    said: dict[str, Any] = {}
    if needs.programme_zone:
        said["z"] = str(facts.programme_zone)
    if needs.store_zone:
        said["s"] = str(facts.zone("store"))
    if needs.store_group and facts.store_group is not None:
        said["g"] = facts.store_group
    said |= _member_to_store(facts.member, needs)
    if needs.activity:
        said["a"] = [_activity_to_store(facts.activity[key]) for key in needs.activity]
    if needs.member_caps:
        said["u"] = [list(facts.used[cap.name]) for cap in needs.member_caps]
    if needs.budgets:
        said["l"] = [list(facts.budgets[name]) for name in needs.budgets]
    if facts.decided_after is not None:
        said["w"] = facts.decided_after.timestamp()
    if needs.balance and facts.balance is not None:
        said["b"] = facts.balance
    return said


def _member_to_store(member: MemberFacts, needs: Needs) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if needs.birthdays and (near := member.near_birthday) is not None:
        said["d"] = _flags([near[one] for one in needs.birthdays])
    if needs.enrolled_at and member.enrolled_at:
        said["e"] = member.enrolled_at.timestamp()
    if needs.tier and member.tier is not None:
        said["t"] = member.tier
    if needs.tier_percent and member.tier_percent is not None:
        said["p"] = member.tier_percent
    if needs.household and member.is_in_household:
        said["h"] = 1
    if needs.groups and member.groups:
        said["m"] = _flags([group in member.groups for group in needs.groups])
    if member.attributes:
        said["c"] = _flags([test in member.attributes for test in needs.attributes])
    return said


def facts_from_stored(stored: Mapping[str, Any] | None, needs: Needs) -> EarningFacts:
    """The facts again; None where nothing was stored, because nothing was needed."""
    if not stored:
        return NO_FACTS
    enrolled = stored.get("e")
    return EarningFacts(
        programme_zone=ZoneInfo(stored["z"]) if "z" in stored else UTC,
        store_zone=ZoneInfo(stored["s"]) if "s" in stored else None,
        store_group=stored.get("g"),
        member=MemberFacts(
            near_birthday=_from_flags(stored["d"], needs.birthdays) if "d" in stored else None,
            enrolled_at=datetime.fromtimestamp(enrolled, UTC) if enrolled is not None else None,
            tier=stored.get("t"),
            is_in_household="h" in stored,
            groups=frozenset(one for one, is_in in _from_flags(stored.get("m", "0"), needs.groups).items() if is_in),
            attributes=frozenset(
                test for test, met in _from_flags(stored.get("c", "0"), needs.attributes).items() if met
            ),
            tier_percent=stored.get("p"),
        ),
        activity={key: _activity(one) for key, one in zip(needs.activity, stored.get("a", ()), strict=True)},
        used={cap.name: Used(*one) for cap, one in zip(needs.member_caps, stored.get("u", ()), strict=True)},
        budgets={name: Left(*one) for name, one in zip(needs.budgets, stored.get("l", ()), strict=True)},
        balance=stored.get("b"),
        decided_after=datetime.fromtimestamp(stored["w"], UTC) if "w" in stored else None,
    )


def _flags(holding: Sequence[bool]) -> str:
    """Which of some hold, in their order: a bit each, so that a thousand take 250 bytes."""
    return f"{sum(1 << at for at, holds in enumerate(holding) if holds):x}"


def _from_flags(stored: str, named: Sequence[_Named]) -> dict[_Named, bool]:
    bits = int(stored, 16)
    return {one: bool(bits >> at & 1) for at, one in enumerate(named)}


def _activity_to_store(activity: Activity) -> list[Any]:
    purchases, days, is_same_day, spend_minor, last_on, is_whole = activity
    said = [purchases, days, int(is_same_day), spend_minor, None if last_on is None else last_on.isoformat()]
    return said if is_whole else [*said, 0]


def _activity(stored: list[Any]) -> Activity:
    purchases, days, is_same_day, spend_minor, last_on, *not_whole = stored
    return Activity(
        purchases,
        days,
        bool(is_same_day),
        spend_minor,
        None if last_on is None else date.fromisoformat(last_on),
        not not_whole,
    )
