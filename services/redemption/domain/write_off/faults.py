"""Everything that is wrong with a document of write-off rules, with pointers that its author knows. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from services.redemption.domain.write_off.rules import WriteOffRulesDraft
from shared.faults import Fault, below, is_too_deep, schema_faults, text_faults


def find_faults(document: Mapping[str, Any], known_partners: Collection[str]) -> list[Fault]:
    """All faults, those of the schema first; who names partners that nobody knows has mistyped them."""
    if is_too_deep(document):
        return [Fault("", "the document is nested too deep for any rule")]
    faults = [*schema_faults(WriteOffRulesDraft, document), *text_faults(document)]
    faults += [
        Fault(pointer, f"no partner {partner_id!r} is known: check its code, or register it first")
        for pointer, partner_id in _partners_named(document)
        if partner_id not in known_partners
    ]
    return faults


def partners_named(document: Mapping[str, Any]) -> set[str]:
    """The partners that a document names, wherever it does, by codes that a partner could have: no database can be
    asked for others."""
    if is_too_deep(document):
        return set()
    return {partner_id for _, partner_id in _partners_named(document) if not any(text_faults(partner_id))}


def _partners_named(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            here = below(pointer, str(name))
            if name == "partner_id" and isinstance(inner, str):
                yield here, inner
            elif name == "partners" and isinstance(inner, list):
                yield from ((below(here, at), one) for at, one in enumerate(inner) if isinstance(one, str))
            else:
                yield from _partners_named(inner, here)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _partners_named(inner, below(pointer, at))
