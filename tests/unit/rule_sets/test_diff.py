"""What differs between two rule sets, with pointers that lead to it."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.domain.rules import RuleSetDraft
from shared.faults import below
from shared.rule_sets.diff import diff_rule_sets
from shared.rule_sets.document_diff import Change, compare


def rule(rule_id: str, points: int = 1, **condition: list[str]) -> dict[str, Any]:
    effect = {"kind": "points_per_amount", "points": points, "step_minor": 100}
    return {"id": rule_id, "name": rule_id, "condition": condition, "effect": effect}


def document(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"rules": list(rules), **fields}


def test_rules_are_the_same_by_their_ids_wherever_they_stand() -> None:
    old = document(rule("base"), rule("fuel"), rule("gone"), expires_after_days=730)
    new = document(rule("new"), rule("fuel", 2), rule("base"), expires_after_days=365)
    diff = diff_rule_sets(old, new, RuleSetDraft)
    assert [(each.pointer, each.new["id"]) for each in diff.rules.added] == [("/rules/0", "new")]
    assert [(each.pointer, each.old["id"]) for each in diff.rules.removed] == [("/rules/2", "gone")]
    (changed,) = diff.rules.changed
    assert (changed.id, changed.old_pointer, changed.new_pointer) == ("fuel", "/rules/1", "/rules/1")
    assert changed.changes == (Change("changed", "/rules/1/effect/points", 1, 2),)
    assert diff.rules.is_reordered
    assert diff.elsewhere == (Change("changed", "/expires_after_days", 730, 365),)


def test_a_list_of_codes_changes_as_a_whole() -> None:
    old, new = document(rule("base", partners=["grocer"])), document(rule("base", partners=["fuel", "grocer"]))
    (changed,) = diff_rule_sets(old, new, RuleSetDraft).rules.changed
    assert changed.changes == (Change("changed", "/rules/0/condition/partners", ["grocer"], ["fuel", "grocer"]),)


def test_another_kind_of_effect_is_told_field_by_field() -> None:
    new = document(rule("base") | {"effect": {"kind": "multiplier", "percent": 200}})
    (changed,) = diff_rule_sets(document(rule("base")), new, RuleSetDraft).rules.changed
    told = {(each.op, each.pointer) for each in changed.changes}
    assert {("changed", "/rules/0/effect/kind"), ("added", "/rules/0/effect/percent")} <= told
    assert ("removed", "/rules/0/effect/step_minor") in told


def test_what_is_said_and_what_is_meant_by_default_do_not_differ() -> None:
    said = document(rule("base"), exclusions={"tenders": ["points"], "categories": []})
    diff = diff_rule_sets(document(rule("base")), said, RuleSetDraft)
    assert (diff.rules.added, diff.rules.removed, diff.rules.changed, diff.elsewhere) == ((), (), (), ())


def test_against_nothing_everything_is_added() -> None:
    diff = diff_rule_sets(None, document(rule("base")), RuleSetDraft)
    assert [each.pointer for each in diff.rules.added] == ["/rules/0"]
    assert {each.op for each in diff.elsewhere} == {"added"}


def _id_of(part: dict[str, Any]) -> str:
    return str(part["id"])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b/c", "~"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "y/z", "~w"]), inner, max_size=3)
        | st.lists(st.fixed_dictionaries({"id": st.sampled_from("pqr"), "v": inner}), max_size=3, unique_by=_id_of)
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from("abc"), VALUES), st.dictionaries(st.sampled_from("abc"), VALUES))
def test_every_pointer_leads_to_its_value_and_equal_documents_do_not_differ(old: Any, new: Any) -> None:
    assert list(compare(old, copy.deepcopy(old))) == []
    changes = list(compare(old, new))
    assert changes or _same_parts(old, new)
    for change in changes:
        assert at(old if change.op == "removed" else new, change.pointer) == (
            change.old if change.op == "removed" else change.new
        )


def test_what_was_removed_from_a_part_that_moved_is_pointed_at_where_it_stood() -> None:
    p, q = {"id": "p", "v": [{"id": "r"}]}, {"id": "q", "v": []}
    assert list(compare([q, p], [p | {"v": []}, q])) == [Change("removed", "/1/v/0", {"id": "r"}, None)]


def _same_parts(old: Any, new: Any) -> bool:
    """The same but for the order of parts that bear ids."""
    return bool(_sorted(old) == _sorted(new))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(inner) for name, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(each, dict) and "id" in each for each in value):
        return sorted((_sorted(each) for each in value), key=lambda each: each["id"])
    return [_sorted(each) for each in value] if isinstance(value, list) else (type(value).__name__, value)


def at(document: Any, pointer: str) -> Any:
    """What a pointer leads to."""
    found = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) else found[name]
    return found


def test_a_pointer_escapes_what_pointers_are_made_of() -> None:
    assert below(below("/rules", 0), "a/b~c") == "/rules/0/a~1b~0c"
