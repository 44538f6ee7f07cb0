"""What each line of a return takes: what all up to it take, less what those before it take. Pure."""

from dataclasses import replace
from typing import NamedTuple

from services.accrual.domain.deciding import decide_document
from services.accrual.domain.decisions import ClawedBack, Decision, Document, Facts
from services.accrual.domain.prepayments import decide_of_sale
from shared.events.purchases import ReturnRecorded

# Lines of the return times lines that are judged for each: a till waits for it.
LINES_JUDGED_MAX = 2_000


class LineTaken(NamedTuple):
    """The programme's own points that a line takes, in addition to the lines before it.

    Below zero where goods before it had taken more than is taken of both: a bundle, say, that is judged again.
    """

    line_id: int
    original_line_id: int
    points: int


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
    before = 0
    for count, line in enumerate(lines, 1):
        first = event.model_copy(update={"data": event.data.model_copy(update={"lines": lines[:count]})})
        so_far = decision if count == len(lines) else decide_only(document._replace(event=first), facts)
        if not isinstance(so_far, ClawedBack):
            return None
        taken.append(LineTaken(line.line_id, line.original_line_id, so_far.points - before))
        before = so_far.points
    return tuple(taken)
