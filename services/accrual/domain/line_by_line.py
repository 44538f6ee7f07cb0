"""What each line of a return takes: what all up to it take, less what those before it take. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from services.accrual.domain.deciding import decide_document
from services.accrual.domain.decisions import ClawedBack, Decision, Document, Facts
from services.accrual.domain.prepayments import decide_of_sale
from shared.events.purchases import ReturnRecorded

# Lines of the return times lines that are judged for each: a till waits for it.
LINES_JUDGED_MAX = 2_000


class LineTaken(NamedTuple):
    """The programme's own points that a line takes, in addition to the lines before it; ``others`` are points of other
    types, by type.

    Below zero where goods before it had taken more than is taken of both: a bundle, say, that is judged again.
    """

    line_id: int
    original_line_id: int
    points: int
    others: Mapping[str, int] = MappingProxyType({})

    def of_type(self, point_type: str | None) -> int:
        """The points of a type; None: the programme's own."""
        return self.points if point_type is None else self.others.get(point_type, 0)


def decide_only(document: Document, facts: Facts) -> Decision:
    """Decide, and leave ``facts`` as they are, which hold nothing that is counted: the purchase that it undoes moves in
    a copy.
    """
    return decide_document(document, _copy(facts))


def decide_sale_only(document: Document, facts: Facts) -> list[Decision]:
    """The same with what becomes of others of its sale, its own decision last."""
    return decide_of_sale(document, _copy(facts))


def _copy(facts: Facts) -> Facts:
    return facts._replace(originals={key: replace(original) for key, original in facts.originals.items()})


def take_line_by_line(document: Document, decision: Decision, facts: Facts) -> tuple[LineTaken, ...] | None:
    """What was decided on a return that names its purchase, split by its lines, in their order; they add up to it.

    None: it is something else, or has too many lines to judge one by one (``LINES_JUDGED_MAX``).
    """
    event = document.event
    if not isinstance(decision, ClawedBack) or not isinstance(event, ReturnRecorded):
        return None
    lines, purchase = event.data.lines, facts.originals[decision.original_key].purchase
    if purchase is None or len(lines) * len(purchase.lines) > LINES_JUDGED_MAX:
        return None
    taken: list[LineTaken] = []
    before, others_before = 0, dict[str, int]()
    for count, line in enumerate(lines, 1):
        first = event.model_copy(update={"data": event.data.model_copy(update={"lines": lines[:count]})})
        so_far = decision if count == len(lines) else decide_only(document._replace(event=first), facts)
        if not isinstance(so_far, ClawedBack):
            return None
        others = points_of_others(so_far)
        added = {
            point_type: points
            for point_type in others_before | others
            if (points := others.get(point_type, 0) - others_before.get(point_type, 0))
        }
        taken.append(LineTaken(line.line_id, line.original_line_id, so_far.points - before, added))
        before, others_before = so_far.points, others
    return tuple(taken)


def points_of_others(decision: ClawedBack) -> dict[str, int]:
    """What is taken of other types than the programme's own."""
    points: dict[str, int] = {}
    for part in decision.parts:
        if part.point_type is not None:
            points[part.point_type] = points.get(part.point_type, 0) + part.points
    return points
