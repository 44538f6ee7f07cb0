"""Where the nodes of a rule's trees stand: every predicate and line test with its pointer, from the root down."""

from collections.abc import Iterator
from typing import Any

from services.accrual.domain.rules.predicates_of_receipt import Bundle
from shared.faults import below


def located(node: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """The node itself and all below it, line tests of predicates too."""
    if node is None:
        return
    yield pointer, node
    if node.kind in ("all", "any"):
        for at, inner in enumerate(node.of):
            yield from located(inner, below(below(pointer, "of"), at))
    elif node.kind == "not":
        yield from located(node.of, below(pointer, "of"))
    else:
        yield from lines_of(node, pointer)


def lines_of(leaf: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """The line tests that a predicate holds, with all below them."""
    if isinstance(leaf, Bundle):
        for at, part in enumerate(leaf.parts):
            yield from located(part.lines, below(below(below(pointer, "parts"), at), "lines"))
    else:
        yield from located(getattr(leaf, "lines", None), below(pointer, "lines"))
