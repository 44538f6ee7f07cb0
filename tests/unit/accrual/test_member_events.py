"""Member events, decided without a database: what types may say, what an event gives, when time makes one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from services.accrual.domain.member_event_types import (
    MemberEventDraft,
    MemberEventType,
    in_force_at,
    why_no_successor,
)
from services.accrual.domain.member_events import days_kept_on, id_of_event, why_refused, window_of
from tests.support.receipts import member

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
SURVEY: dict[str, Any] = {
    "sources": ["survey-tool"],
    "payload": {
        "properties": {
            "survey": {"type": "string", "enum": ["spring", "autumn"]},
            "answers": {"type": "integer", "minimum": 1, "maximum": 40},
            "is_complete": {"type": "boolean"},
        },
        "required": ["survey", "answers"],
        "additionalProperties": False,
    },
    "key": ["survey"],
    "points": {"kind": "per_step", "property": "answers", "step": 5, "points": 10, "points_max": 60},
}


def draft(**changes: Any) -> MemberEventDraft:
    return MemberEventDraft.model_validate(SURVEY | changes)


def version(number: int, begins: datetime, **changes: Any) -> MemberEventType:
    return MemberEventType.model_validate(
        SURVEY | changes | {"code": "survey", "version": number, "effective_from": begins}
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"sources": []},
        {"trigger": "birthday"},
        {"key": ["is_complete"]},  # which may be absent
        {"key": ["unknown"]},
        {"points": {"kind": "per_step", "property": "survey", "points": 1, "points_max": 1}},
        {"points": {"kind": "fixed", "points": -1}},
        {"payload": SURVEY["payload"] | {"required": ["nothing"]}},
        {"payload": SURVEY["payload"] | {"additionalProperties": True}},
        {"payload": {"properties": {"comment": {"type": "string", "maxLength": 500}}}},  # no free text
        {"limit": {"events_max": 0, "period": "day"}},
        {"unheard_of": 1},
    ],
)
def test_what_does_not_fit_together_is_never_declared(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        draft(**wrong)


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({"survey": "spring", "answers": 12}, None),
        ({"survey": "spring", "answers": 12, "is_complete": True}, None),
        ({"survey": "winter", "answers": 12}, "survey"),
        ({"survey": "spring"}, "answers"),
        ({"survey": "spring", "answers": 41}, "answers"),
        ({"survey": "spring", "answers": True}, "answers"),
        ({"survey": "spring", "answers": 1, "is_complete": 1}, "is_complete"),
        ({"survey": "spring", "answers": 1, "name": "Ada"}, "name"),
    ],
)
def test_a_payload_is_as_declared_or_named_at_its_property(payload: dict[str, Any], fault: str | None) -> None:
    found = draft().payload.fault_of(payload)
    assert (found[0] if found is not None else None) == fault


def test_points_follow_from_full_steps_up_to_the_most() -> None:
    kind = version(1, NOW)
    # 12 answers: 2 full fives, 10 points each. 40 answers: 8 fives would give 80, and 60 is the most.
    assert [kind.points_of({"answers": answers}) for answers in (4, 5, 12, 40)] == [0, 10, 20, 60]
    assert kind.in_words({"answers": 12}).endswith("12 // 5 * 10 = 20.")
    assert kind.in_words({"answers": 40}).endswith("40 // 5 * 10 = 80, at most 60.")
    fixed = version(1, NOW, points={"kind": "fixed", "points": 7})
    assert (fixed.points_of({}), fixed.in_words({})) == (7, "survey, version 1: 7 points an event.")


def test_a_version_counts_for_what_happened_since() -> None:
    first, second, third = version(1, NOW), version(2, NOW + timedelta(days=1)), version(3, NOW + timedelta(days=1))
    all_versions = [first, second, third]
    assert in_force_at(all_versions, NOW - timedelta(seconds=1)) is None
    assert in_force_at(all_versions, NOW) is first
    assert in_force_at(all_versions, NOW + timedelta(days=9)) is third
    assert why_no_successor(first, draft(key=[])) is not None
    assert why_no_successor(first, draft(is_active=False)) is None


def test_identity_is_type_member_and_key() -> None:
    anna = member(1)
    assert id_of_event("survey", anna, {"a": 1, "b": "x"}) == id_of_event("survey", anna, {"b": "x", "a": 1})
    others = [
        id_of_event("survey", anna, {"a": 1}),
        id_of_event("survey", anna, {"a": 2}),
        id_of_event("survey", anna, {"a": "1"}),
        id_of_event("survey", member(2), {"a": 1}),
        id_of_event("poll", anna, {"a": 1}),
    ]
    assert len(set(others)) == len(others)
    assert str(id_of_event("survey", anna, {"survey": "spring"})) == "189f5fc3-41af-5e7d-a650-dde26b4e46a6"


def test_why_an_event_gives_nothing() -> None:
    window, kind = timedelta(days=30), version(1, NOW)
    assert why_refused("active", kind, NOW, NOW, window) is None
    assert why_refused("closed", kind, NOW, NOW, window) == "member_closed"
    assert why_refused("active", None, NOW, NOW, window) == "not_in_force"
    assert why_refused("active", version(2, NOW, is_active=False), NOW, NOW, window) == "not_in_force"
    assert why_refused("active", kind, NOW - window - timedelta(seconds=1), NOW, window) == "too_late"


@pytest.mark.parametrize(
    ("period", "first", "after"),
    [
        ("day", date(2026, 3, 8), date(2026, 3, 9)),  # the clocks go forward that day: it has 23 hours
        ("week", date(2026, 3, 2), date(2026, 3, 9)),
        ("month", date(2026, 3, 1), date(2026, 4, 1)),
        ("year", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_periods_are_whole_days_of_the_programmes_zone(period: Any, first: date, after: date) -> None:
    late_in_the_evening = datetime(2026, 3, 9, 3, 59, tzinfo=UTC)  # 23:59 on Sunday, 8 March, in New York
    bounds = window_of(period, late_in_the_evening, NEW_YORK)
    assert bounds is not None
    assert [(bound.date(), bound.hour) for bound in bounds] == [(first, 0), (after, 0)]
    assert bounds[0] <= late_in_the_evening < bounds[1]


def test_the_29th_of_february_is_kept_on_1_march_of_a_common_year() -> None:
    assert days_kept_on(date(2028, 2, 29)) == ((2, 29),)
    assert days_kept_on(date(2028, 3, 1)) == ((3, 1),)
    assert days_kept_on(date(2027, 2, 28)) == ((2, 28),)
    assert days_kept_on(date(2027, 3, 1)) == ((3, 1), (2, 29))
