"""What differs between two rule sets: rules by their ids, and everything else. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from shared.rule_sets.document_diff import Change, PartDiff, compare, compare_parts

_RULES = "rules"


class RuleSetDiff(NamedTuple):
    """Rules that were added, removed or changed, and changes ``elsewhere`` in the document."""

    rules: PartDiff
    elsewhere: tuple[Change, ...]


def diff_rule_sets(old: Mapping[str, Any] | None, new: Mapping[str, Any], model: type[BaseModel]) -> RuleSetDiff:
    """What ``new`` changes; without an ``old`` one, everything is added. ``model`` is what such documents are."""
    before, after = _in_full(old, model) if old is not None else {}, _in_full(new, model)
    return RuleSetDiff(
        compare_parts(before.get(_RULES, ()), after.get(_RULES, ()), f"/{_RULES}", f"/{_RULES}"),
        tuple(compare(_without_rules(before), _without_rules(after))),
    )


def _in_full(document: Mapping[str, Any], model: type[BaseModel]) -> Mapping[str, Any]:
    """The document with every default said: what a later release added to the model is no difference."""
    try:
        return model.model_validate(document).model_dump(mode="json")
    except ValidationError:  # a release from before took it
        return document


def _without_rules(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != _RULES}
