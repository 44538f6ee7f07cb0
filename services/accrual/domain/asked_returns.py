"""A return that somebody asks about before there is one: its document, and who lacks how much of what. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.line_by_line import LineTaken
from shared.events.purchases import PurchaseData, ReturnData, ReturnLine, ReturnRecorded
from shared.money import share_out
from shared.receipt_key import DocumentKey, encode_receipt_key, receipt_id_of

# The return has no number yet. Nothing is claimed or kept under this key.
_NO_KEY = DocumentKey(scheme="document", source="asked", number="0")
_NO_ID = UUID(int=0)


class LineAsked(NamedTuple):
    """So much of a line of the purchase."""

    line_id: int
    quantity_thousandths: int


class BoughtLine(NamedTuple):
    """A line of the purchase, and how much of it has come back so far."""

    line_id: int
    quantity_thousandths: int
    amount_minor: int
    returned_thousandths: int


class TakenOfType(NamedTuple):
    """Points of a type that a return takes: ``from_pending`` of them still wait, ``lacking`` are not there, of which
    nobody would owe those that are ``forgiven``."""

    point_type: str
    points: int
    from_pending: int
    lacking: int
    forgiven: int = 0


class TakenOfLine(NamedTuple):
    """What a line takes of a type, in addition to the lines before it; below zero where goods before it had taken more
    than is taken of both. ``lacking`` is its part of what is not there."""

    line_id: int
    point_type: str
    points: int
    lacking: int


def asked_return(
    purchase: PurchaseData, original_key: bytes, lines: Sequence[LineAsked], now: datetime
) -> ReturnRecorded:
    """The return of these goods at the till that had sold them. A line that was not bought is told as it was asked."""
    bought = {line.line_id: line for line in purchase.lines}
    returned = []
    for number, asked in enumerate(lines, 1):
        line = bought.get(asked.line_id)
        returned.append(
            ReturnLine(
                line_id=number,
                original_line_id=asked.line_id,
                sku=line.sku if line is not None else "unknown",
                category=line.category if line is not None else None,
                quantity_thousandths=asked.quantity_thousandths,
                amount_minor=0,
            )
        )
    data = ReturnData(
        receipt_id=receipt_id_of(encode_receipt_key(purchase.partner_id, _NO_KEY)),
        content_hash="0" * 64,
        partner_id=purchase.partner_id,
        store_id=purchase.store_id,
        till_id=purchase.till_id,
        occurred_at=now,
        received_at=now,
        currency=purchase.currency,
        total_minor=0,
        original_receipt_id=receipt_id_of(original_key),
        lines=tuple(returned),
    )
    return ReturnRecorded(id=_NO_ID, source="accrual", subject=data.receipt_id, time=now, data=data)


def bought_lines(purchase: PurchaseData, returned_thousandths: Mapping[int, int]) -> tuple[BoughtLine, ...]:
    """The lines of a purchase with what came back of each."""
    return tuple(
        BoughtLine(
            line.line_id, line.quantity_thousandths, line.amount_minor, returned_thousandths.get(line.line_id, 0)
        )
        for line in purchase.lines
    )


def taken_of_lines(
    taken: Sequence[TakenOfType],
    lines: Sequence[LineAsked],
    own_type: str,
    judged: Sequence[LineTaken] | None,
    purchase: PurchaseData,
) -> tuple[TakenOfLine, ...]:
    """What is taken and lacking of each type, by the lines of the return; they add up to it exactly.

    ``judged``: what each line takes. None where they are too many to be judged one by one: then by what their goods
    cost. What is lacking is shared in proportion to what the lines take.
    """
    found: list[TakenOfLine] = []
    for one in taken:
        points = (
            share_out(one.points, _costs(purchase, lines))
            if judged is None
            else [line.of_type(None if one.point_type == own_type else one.point_type) for line in judged]
        )
        lacking = share_out(one.lacking, [max(0, of_line) for of_line in points])
        found += [
            TakenOfLine(line.line_id, one.point_type, of_line, lacks)
            for line, of_line, lacks in zip(lines, points, lacking, strict=True)
            if of_line
        ]
    return tuple(found)


def _costs(purchase: PurchaseData, lines: Sequence[LineAsked]) -> list[int]:
    bought = {line.line_id: line for line in purchase.lines}
    costs = [bought[line.line_id].amount_minor * line.quantity_thousandths for line in lines]
    return costs if any(costs) else [1] * len(costs)
