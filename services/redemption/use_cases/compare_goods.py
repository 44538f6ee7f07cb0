"""Whether the goods of a receipt are such as the points of its hold are for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import NamedTuple

from services.redemption.domain.redemption import Capture, Redemption
from services.redemption.domain.tender import PointsTender
from services.redemption.repository.recorded_exceptions import ExceptionRecord
from services.redemption.use_cases.baskets import baskets_of
from shared.database import Transaction


class Compared(NamedTuple):
    """A tender, and what was captured for it, now or before."""

    tender: PointsTender
    redemption: Redemption
    capture: Capture


async def compare_goods(transaction: Transaction, compared: Sequence[Compared]) -> list[ExceptionRecord]:
    """Receipts whose goods may not use all that they took of their holds, as the exceptions that they are.

    A hold was chosen for what the till said then, and its points were promised: they are taken all the same. Of days,
    the one on which they were reserved counts as well as the receipt's. Asks for nothing where no capture took points
    that are limited, which is nearly always.
    """
    limited = [one for one in compared if one.capture.limited and one.tender.goods is not None]
    if not limited:
        return []
    baskets = await baskets_of(transaction, [(one.tender.partner_id, one.tender.goods) for one in limited])
    zone = transaction.zone or UTC
    found = []
    for (tender, redemption, capture), basket in zip(limited, baskets, strict=True):
        if basket is None:
            continue
        held_on = basket.day if redemption.held_at is None else redemption.held_at.astimezone(zone).date()
        if points := capture.points_not_for(basket, replace(basket, day=held_on)):
            found.append(
                ExceptionRecord(
                    kind="other_goods",
                    redemption_id=tender.redemption_id,
                    receipt_key=tender.receipt_key,
                    content_hash=tender.content_hash,
                    partner_id=tender.partner_id,
                    asked_points=tender.points,
                    captured_points=points,
                )
            )
    return found
