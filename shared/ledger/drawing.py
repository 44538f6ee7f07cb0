"""Which lots points come from, in the order they are asked in. Pure, and moves nothing."""

from collections.abc import Iterable, Mapping

from shared.ledger.conditions import Basket
from shared.ledger.records import Lot

NONE_SPARED: Mapping[bytes, int] = {}


def may_use(lot: Lot, basket: Basket | None) -> bool:
    """Whether points of this lot pay for this basket; of one that is not known, none that are limited do."""
    limits = lot.terms.limits
    return limits is None or (basket is not None and limits.admit(basket))


def draw(
    lots: Iterable[Lot], points: int, lots_max: int | None, spared: Mapping[bytes, int] = NONE_SPARED
) -> tuple[list[tuple[Lot, int]], int]:
    """Draw on lots in their order; also what could not be drawn."""
    taken: list[tuple[Lot, int]] = []
    for lot in lots:
        if points == 0 or len(taken) == lots_max:
            break
        part = min(points, lot.remaining if not spared else lot.remaining - spared.get(lot.key, 0))
        if part > 0:
            taken.append((lot, part))
            points -= part
    return taken, points
