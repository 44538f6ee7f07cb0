"""What differs between two rule sets: rules by their ids, and everything else. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from services.accrual.domain.document_diff import Change, PartDiff, compare, compare_parts
from services.accrual.domain.rules import RuleSetDraft

_RULES = "rules"


class RuleSetDiff(NamedTuple):
    """Rules that were added, removed or changed, and changes ``elsewhere`` in the document."""

    rules: PartDiff
    elsewhere: tuple[Change, ...]


def diff_rule_sets(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> RuleSetDiff:
    """What ``new`` changes; without an ``old`` one, everything is added."""
    before, after = _in_full(old) if old is not None else {}, _in_full(new)
    return RuleSetDiff(
        compare_parts(before.get(_RULES, ()), after.get(_RULES, ()), f"/{_RULES}", f"/{_RULES}"),
        tuple(compare(_without_rules(before), _without_rules(after))),
    )


def _in_full(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with every default said: what a later release added to the model is no difference."""
    try:
        return RuleSetDraft.model_validate(document).model_dump(mode="json")
    except ValidationError:  # a release from before took it
        return document


def _without_rules(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != _RULES}
