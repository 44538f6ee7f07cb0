"""Tests of attributes that nobody declared, or that ask for what no value of theirs can be."""

from collections.abc import Iterator

from services.accrual.domain.rule_faults.known import Known
from services.accrual.domain.rules.predicates_of_attributes import AttributeIs, AttributeTest
from shared.faults import Fault, below

_KINDS = {"number": "attribute_number", "date": "attribute_date", "boolean": "attribute", "choice": "attribute"}


def attribute_faults(test: AttributeTest, pointer: str, known: Known) -> Iterator[Fault]:
    """Every one of them."""
    attribute = known.attributes.get(test.code)
    if attribute is None:
        words = "no such attribute is told here: declare it, neither personal nor a text, and give it a second"
        yield Fault(below(pointer, "code"), words)
        return
    kind = _KINDS[attribute.value_type]
    if test.kind != kind:
        yield Fault(below(pointer, "kind"), f"this attribute is of type {attribute.value_type}: ask with {kind}")
    elif isinstance(test, AttributeIs):
        there = attribute.choices or frozenset({"true", "false"})
        for at, value in enumerate(test.values):
            if value not in there:
                yield Fault(below(below(pointer, "values"), at), f"should be one of {', '.join(sorted(there))}")
