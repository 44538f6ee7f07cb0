"""A rule set's life: what each step needs, and what no order of publishing and retiring can break."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rule_sets import life
from shared.rule_sets.errors import (
    EffectiveTimeTakenError,
    NoSuccessorError,
    PublishedTooLateError,
)
from shared.rule_sets.life import NOTICE, LivingRuleSet, Publication

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def ready(number: int = 1) -> LivingRuleSet:
    """An approved rule set."""
    draft = life.drafted(UUID(int=number), {"rules": [number]}, "alice").after
    return life.approved(life.submitted(draft, "alice").after, "bob").after


def publication(rule_set: LivingRuleSet) -> Publication:
    assert rule_set.version is not None
    assert rule_set.effective_from is not None
    return Publication(rule_set.version, rule_set.effective_from, rule_set.state == "retired")


def test_a_refused_draft_keeps_its_authors_and_may_be_refused_and_approved_again() -> None:
    submitted = life.submitted(life.drafted(UUID(int=1), {}, "alice").after, "carol").after
    draft = life.refused(submitted, "bob", "too generous").after
    changed = life.changed(draft, {"rules": []}, "dave").after
    assert (draft.state, changed.authors) == ("draft", ("alice", "carol", "dave"))
    approved = life.approved(life.submitted(changed, "alice").after, "bob").after
    assert (approved.state, approved.approved_by, approved.revision) == ("approved", "bob", 6)


@pytest.mark.parametrize(
    ("begins", "ends", "phase"),
    [
        (NOW + DAY, None, "scheduled"),
        (NOW, None, "in_force"),
        (NOW - DAY, NOW + DAY, "in_force"),
        (NOW - DAY, NOW, "superseded"),
    ],
)
def test_a_published_rule_set_is_scheduled_then_in_force_then_superseded(
    begins: datetime, ends: datetime | None, phase: str
) -> None:
    rule_set = life.published(ready(), "bob", 1, begins, [], NOW).after
    assert rule_set.phase(ends, NOW) == phase


def test_a_minute_ahead_to_the_microsecond() -> None:
    first = Publication(1, NOW - DAY, is_retired=False)
    assert life.published(ready(), "bob", 2, NOW + NOTICE, [first], NOW).after.version == 2
    with pytest.raises(PublishedTooLateError):
        life.published(ready(), "bob", 2, NOW + NOTICE - timedelta(microseconds=1), [first], NOW)
    scheduled = life.published(ready(), "bob", 2, NOW + NOTICE, [first], NOW).after
    with pytest.raises(PublishedTooLateError):
        life.retired(scheduled, "bob", "no", [first, publication(scheduled)], NOW + timedelta(microseconds=1))


def test_the_same_document_has_the_same_digest_whatever_the_order_of_its_fields() -> None:
    one, other = ({"a": 1, "b": [2]}, {"b": [2], "a": 1})
    assert life.drafted(UUID(int=1), one, "a").after.document_sha256 == (
        life.drafted(UUID(int=2), other, "b").after.document_sha256
    )


Act = tuple[bool, int, int]
ACTS = st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 6)), max_size=12)


@settings(max_examples=150)
@given(ACTS)
def test_once_a_version_was_in_force_one_always_is_and_a_retired_one_never_again(acts: list[Act]) -> None:
    """Publish for some hours ahead, or retire one of those there are; an hour passes between."""
    rule_sets: list[LivingRuleSet] = []
    now = NOW
    gone: set[int] = set()
    for number, (is_publication, which, hours) in enumerate(acts):
        now += timedelta(hours=1)
        live = [publication(each) for each in rule_sets if each.state in ("published", "retired")]
        try:
            if is_publication or not rule_sets:
                begins = now + timedelta(hours=hours)
                rule_sets.append(life.published(ready(number), "bob", number + 1, begins, live, now).after)
            else:
                index = which % len(rule_sets)
                if rule_sets[index].state == "published":
                    rule_sets[index] = life.retired(rule_sets[index], "bob", "no", live, now).after
        except (EffectiveTimeTakenError, NoSuccessorError, PublishedTooLateError):
            continue
        live = sorted((publication(each) for each in rule_sets if each.state != "withdrawn"), key=lambda one: one[1])
        current = [each for each in live if each.effective_from <= now]
        assert not gone or current, "a version was in force before"
        if current:
            # What was in force and is retired, and has been followed, stays behind.
            assert current[-1].version not in gone
            gone |= {each.version for each in current[:-1] if each.is_retired}
        last_retired = max((at for at, each in enumerate(live) if each.is_retired), default=-1)
        assert last_retired < len(live) - 1 or last_retired == -1, "a retired version is followed by another"
