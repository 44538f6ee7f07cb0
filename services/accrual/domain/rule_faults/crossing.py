"""What only the whole document shows: ids that stand twice, names that nothing bears. It may be faulty elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.accrual.domain.rule_faults.places import located
from services.accrual.domain.rules.predicates_of_member import InCampaign
from services.accrual.domain.rules.rule import Rule
from shared.faults import Fault, below

_NAMED_PARTS = {"rules": "rule", "groups": "group", "campaigns": "campaign"}
_REFERENCES = (("group", "groups"), ("campaign", "campaigns"))


def crossing_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Every one of them, at the part that is at fault."""
    for name, what in _NAMED_PARTS.items():
        yield from _doubled(document, name, what)
    for field, name in _REFERENCES:
        yield from _unknown(document, field, name)
    exclusions = document.get("exclusions")
    tenders = exclusions.get("tenders") if isinstance(exclusions, Mapping) else None
    if isinstance(tenders, list) and "points" not in tenders:
        yield Fault("/exclusions/tenders", "a part paid with points never earns: name 'points' here")


def campaign_faults(rule: Rule, pointer: str, document: Mapping[str, Any]) -> Iterator[Fault]:
    """Campaigns that members should have joined, and that the document does not declare."""
    there = _ids(document, "campaigns")
    for place, node in located(rule.condition.when, below(below(pointer, "condition"), "when")):
        if isinstance(node, InCampaign):
            for at, campaign in enumerate(node.campaigns):
                if campaign not in there:
                    words = "there is no such campaign: declare it in campaigns"
                    yield Fault(below(below(place, "campaigns"), at), words)


def _doubled(document: Mapping[str, Any], name: str, what: str) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for pointer, part in _parts(document, name):
        part_id = part.get("id")
        if not isinstance(part_id, str):
            continue
        stands_at = first.setdefault(part_id.strip(), pointer)
        if stands_at != pointer:
            yield Fault(below(pointer, "id"), f"the {what} at {stands_at} has this id: each needs its own")


def _unknown(document: Mapping[str, Any], field: str, name: str) -> Iterator[Fault]:
    there = _ids(document, name)
    for pointer, rule in _parts(document, "rules"):
        named = rule.get(field)
        if isinstance(named, str) and named.strip() not in there:
            yield Fault(below(pointer, field), f"there is no such {field}: declare it in {name}")


def _ids(document: Mapping[str, Any], name: str) -> set[str]:
    return {str(part.get("id")).strip() for _, part in _parts(document, name)}


def _parts(document: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    parts = document.get(name)
    if isinstance(parts, list):
        for at, part in enumerate(parts):
            if isinstance(part, Mapping):
                yield below(f"/{name}", at), part
