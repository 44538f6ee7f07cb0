"""Points that a till took off the lines of a receipt, as one discount among others: the same as a points tender. Pure.

A till says either that points paid a part of the receipt (a tender), or that they made some lines cheaper (discounts of
these lines). Events know tenders alone: what points took off a line is put back on it, and stands among the tenders, so
that the same basket earns, comes back and is settled alike whichever way its till prints it.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

from services.accrual.domain.settlement import is_handover
from services.accrual.schemas.documents import TENDERS_MAX, LineBody, ReceiptBody
from shared.events.purchases import Tender
from shared.faults import Fault


def points_off(line: LineBody) -> int:
    """How much points took off a line, in minor units."""
    return sum([one.amount_minor for one in line.points_discounts or ()])


def tenders_of(lines: Sequence[LineBody]) -> tuple[Tender, ...]:
    """What points took off these lines as tenders, one a redemption, in the order in which they are named."""
    amounts_minor: dict[UUID, int] = {}
    for line in lines:
        for one in line.points_discounts or ():
            amounts_minor[one.redemption_id] = amounts_minor.get(one.redemption_id, 0) + one.amount_minor
    return tuple(
        Tender(kind="points", amount_minor=amount_minor, redemption_id=redemption_id)
        for redemption_id, amount_minor in amounts_minor.items()
    )


def faults_of_points_discounts(body: ReceiptBody) -> Iterator[Fault]:
    """What is wrong with what points are said to have taken off, each with its pointer."""
    if body.original_points_off_minor is not None and body.type not in ("void", "correction"):
        yield Fault("/original_points_off_minor", "only a void and a correction say it: leave it out")
    if not any(line.points_discounts for line in (*body.lines, *(body.returned_lines or ()))):
        return
    if body.type == "exchange":
        yield Fault("/lines", "an exchange says in its tenders what points paid: leave points_discounts out")
        return
    if len(body.tenders) + len(tenders_of(body.lines)) > TENDERS_MAX:
        yield Fault("/lines", f"points_discounts and tenders name at most {TENDERS_MAX} redemptions in all")
    hands_over = body.type == "return" or all(is_handover(line.settlement) for line in body.lines)
    for index, line in enumerate(body.lines):
        if not line.points_discounts:
            continue
        pointer = f"/lines/{index}/points_discounts"
        if points_off(line) > line.discount_minor:
            yield Fault(pointer, "discount_minor is all that was taken off the line, what points took off included")
        if not hands_over:
            yield Fault(pointer, "points pay for goods with the receipt that hands them over")
