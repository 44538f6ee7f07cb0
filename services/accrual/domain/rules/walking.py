"""Walks conditions: every predicate of a tree, from the root down."""

from collections.abc import Iterator

from services.accrual.domain.rules.predicates import AllOf, AnyOf, NotOf, Predicate


def predicates_in(predicate: Predicate | None) -> Iterator[Predicate]:
    """The predicate itself and all below it."""
    if predicate is None:
        return
    yield predicate
    if isinstance(predicate, AllOf | AnyOf):
        for inner in predicate.of:
            yield from predicates_in(inner)
    elif isinstance(predicate, NotOf):
        yield from predicates_in(predicate.of)
