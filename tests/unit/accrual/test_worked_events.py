"""The worked examples of member events: each earns what was worked out by hand, and says why."""

from operator import attrgetter

import orjson
import pytest

from services.accrual.domain.award_parts import every_part
from services.accrual.domain.event_awards import applied_rules, read_decision, write_decision
from services.accrual.domain.point_words import in_points
from services.accrual.domain.trace import trace_in_words
from tests.support.worked_events import WorkedEvent, worked_events

STORED_BYTES_MAX = 500

every_example = pytest.mark.parametrize("example", worked_events(), ids=attrgetter("name"))


@every_example
def test_an_event_earns_what_was_worked_out_by_hand(example: WorkedEvent) -> None:
    evaluation = example.evaluate()

    assert evaluation.points == example.award["points"]
    assert {one.rule_id: one.points for one in evaluation.applied} == example.award.get("by_rule", {})
    assert {one.name: one.points for one in evaluation.usage} == example.award.get("used", {})


@every_example
def test_its_lots_have_the_terms_that_the_rules_say(example: WorkedEvent) -> None:
    parts = every_part(example.evaluate(), example.occurred_at.astimezone(example.facts.programme_zone).date())
    lots = [
        {"points": part.points, "basis": part.key.terms.basis, "from": str(part.key.terms.available_from)}
        | ({"point_type": part.key.point_type} if part.key.point_type is not None else {})
        | ({"waits": True} if part.key.wait is not None else {})
        | ({"gone_on": str(part.key.terms.expires_on)} if part.key.terms.expires_on is not None else {})
        | ({"payers": [payer for payer, _ in part.key.terms.funding.payers]} if part.key.terms.funding else {})
        for part in parts
    ]
    assert lots == example.award.get("lots", lots)


@every_example
def test_its_trace_says_why(example: WorkedEvent) -> None:
    words = trace_in_words(example.evaluate(), example.rule_set, "USD")
    assert (words[0], words[-1]) == ("Judged by rule set 1.", f"In all: {in_points(example.award['points'])}.")
    assert tuple(words[1:-1]) == example.trace


@every_example
def test_what_is_kept_of_it_tells_the_same_again_and_what_it_used_without_its_payload(example: WorkedEvent) -> None:
    evaluation = example.evaluate()
    stored = write_decision(evaluation)
    kept = read_decision(stored)

    assert len(stored) <= STORED_BYTES_MAX
    assert (kept.type_code, kept.occurred_at) == (example.type_code, example.occurred_at)
    assert (kept.applied, kept.said_something) == (applied_rules(evaluation), bool(example.payload))
    assert example.evaluate(kept.facts_for(example.rule_set)).outcomes == evaluation.outcomes
    assert tuple(kept.usage(example.rule_set)) == evaluation.usage
    for said in example.payload.values():
        assert isinstance(said, bool | int) or said not in orjson.loads(stored)
