"""Names that a rule gives and nobody bears: partners, stores, categories, segments, attributes.

Whoever has heard of no partner yet judges no names. A category is unknown only where every partner that a rule is about
has mapped its own: elsewhere lines count as whatever their till calls them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from services.accrual.domain.rule_faults.attributes import attribute_faults
from services.accrual.domain.rule_faults.known import Known
from services.accrual.domain.rule_faults.places import located
from services.accrual.domain.rules.funding import stores_in
from services.accrual.domain.rules.line_tests import CategoryTest
from services.accrual.domain.rules.predicates_of_attributes import AttributeDate, AttributeIs, AttributeNumber
from services.accrual.domain.rules.predicates_of_member import InSegment
from services.accrual.domain.rules.predicates_of_receipt import PartnerIs, StoreGroupIs, StoreIs, StoreRef
from services.accrual.domain.rules.rule import Rule
from shared.faults import Fault, below


def stores_named(rule: Rule) -> set[tuple[str, str]]:
    """The stores that a rule names, to be looked up."""
    return stores_in([rule.limits]) | {
        (store.partner_id, store.store_id)
        for _, node in located(rule.condition.when, "")
        if isinstance(node, StoreIs)
        for store in node.stores
    }


def naming_faults(rule: Rule, pointer: str, known: Known) -> Iterator[Fault]:
    """Every unknown name in a rule."""
    if not known.partners:
        return
    condition = rule.condition
    at = below(pointer, "condition")
    yield from partner_faults(condition.partners, below(at, "partners"), known)
    about = frozenset(condition.partners) or known.partners
    yield from category_faults(condition.categories, below(at, "categories"), about, known)
    for tree, where in ((condition.lines, "lines"), (condition.when, "when")):
        for place, node in located(tree, below(at, where)):
            yield from _faults_of(node, place, about, known)


def category_faults(categories: Iterable[str], pointer: str, partners: frozenset[str], known: Known) -> Iterator[Fault]:
    """The categories that none of these partners has, as far as their mappings tell."""
    if not partners or not partners <= known.categories.keys():
        return
    there = frozenset().union(*(known.categories[partner] for partner in partners))
    for at, category in enumerate(categories):
        if category not in there:
            yield Fault(below(pointer, at), "no partner that this is about has mapped anything to this category")


def _faults_of(node: Any, pointer: str, about: frozenset[str], known: Known) -> Iterator[Fault]:
    match node:
        case PartnerIs(partners=partners):
            yield from partner_faults(partners, below(pointer, "partners"), known)
        case StoreGroupIs(groups=groups):
            for at, group in enumerate(groups):
                if group.partner_id not in known.partners:
                    yield Fault(below(below(below(pointer, "groups"), at), "partner_id"), _NO_PARTNER)
        case StoreIs(stores=stores):
            yield from store_faults(stores, below(pointer, "stores"), known)
        case InSegment(segments=segments):
            yield from _segments(segments, below(pointer, "segments"), known)
        case AttributeIs() | AttributeNumber() | AttributeDate():
            yield from attribute_faults(node, pointer, known)
        case CategoryTest(categories=categories):
            yield from category_faults(categories, below(pointer, "categories"), about, known)
        case _:
            return


def _segments(segments: Iterable[str], pointer: str, known: Known) -> Iterator[Fault]:
    for at, segment in enumerate(segments):
        if segment not in known.segments:
            yield Fault(below(pointer, at), "there is no such segment: declare it first")


def store_faults(stores: Iterable[StoreRef], pointer: str, known: Known) -> Iterator[Fault]:
    """The stores that are not known, or whose partner is not."""
    for at, store in enumerate(stores):
        if store.partner_id not in known.partners:
            yield Fault(below(below(pointer, at), "partner_id"), _NO_PARTNER)
        elif (store.partner_id, store.store_id) not in known.stores:
            yield Fault(below(below(pointer, at), "store_id"), "the partner has no such store: register it first")


def partner_faults(partners: Iterable[str], pointer: str, known: Known) -> Iterator[Fault]:
    """The partners that are not known."""
    for at, partner in enumerate(partners):
        if partner not in known.partners:
            yield Fault(below(pointer, at), _NO_PARTNER)


_NO_PARTNER = "there is no such partner here: register it first, and give it a second to be heard of"
