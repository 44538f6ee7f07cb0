"""What is told of a partner's exposure, under the partner's key."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.coalition.domain.exposure import NO_CONTRACT, Judged, PointSums, Position
from services.coalition.use_cases.announcements import SOURCE
from shared.database import Transaction
from shared.events.catalogue import COALITION
from shared.events.contracts import (
    ExposureChanged,
    ExposureData,
    PointsExposure,
    PrepaidData,
    PrepaidExhausted,
    PrepaidLow,
)
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent


def exposure_messages(transaction: Transaction, judged: Judged, sums: Sequence[PointSums]) -> list[Message]:
    """The events of one judgement, all of one version; none where it is not to be told."""
    if not judged.is_published:
        return []
    partner_id = judged.exposure.partner_id
    about: dict[str, Any] = {
        "source": SOURCE,
        "subject": partner_id,
        "time": transaction.now,
        "traceparent": child_traceparent(current_traceparent()),
    }
    events: list[ExposureChanged | PrepaidLow | PrepaidExhausted] = [
        ExposureChanged(id=new_id(), data=_exposure_data(judged, sums), **about)
    ]
    if judged.is_low:
        events.append(PrepaidLow(id=new_id(), data=_prepaid_data(judged), **about))
    if judged.is_exhausted:
        events.append(PrepaidExhausted(id=new_id(), data=_prepaid_data(judged), **about))
    return [Message.of(event, COALITION.topic, partner_id) for event in events]


def sums_by_type(sums: Sequence[PointSums]) -> list[PointSums]:
    """A partner's sums by point type, over all its contracts."""
    totals: dict[str, PointSums] = {}
    for each in sums:
        before = totals.get(each.point_type, PointSums(NO_CONTRACT, each.point_type))
        totals[each.point_type] = replace(
            before,
            issued_points=before.issued_points + each.issued_points,
            returned_points=before.returned_points + each.returned_points,
            redeemed_points=before.redeemed_points + each.redeemed_points,
            spent_points=before.spent_points + each.spent_points,
            refunded_points=before.refunded_points + each.refunded_points,
            restored_points=before.restored_points + each.restored_points,
        )
    return list(totals.values())


def _exposure_data(judged: Judged, sums: Sequence[PointSums]) -> ExposureData:
    exposure, position = judged.exposure, judged.position
    return ExposureData(
        partner_id=exposure.partner_id,
        version=exposure.version,
        contract_id=None if position.contract is None else position.contract.contract_id,
        standing=position.standing,
        currency=_currency(position),
        payable_minor=position.payable_minor,
        receivable_minor=position.receivable_minor,
        paid_minor=position.paid_minor,
        left_minor=position.left_minor,
        overshoot_minor=position.overshoot_minor,
        points=tuple(
            PointsExposure(
                point_type=each.point_type,
                issued_points=each.issued_points,
                returned_points=each.returned_points,
                redeemed_points=each.redeemed_points,
                spent_points=each.spent_points,
                refunded_points=each.refunded_points,
                restored_points=each.restored_points,
            )
            for each in sums_by_type(sums)
        ),
    )


def _prepaid_data(judged: Judged) -> PrepaidData:
    exposure, position = judged.exposure, judged.position
    if position.contract is None or position.left_minor is None:
        raise AssertionError("unreachable: a prepaid block belongs to a contract")
    return PrepaidData(
        partner_id=exposure.partner_id,
        version=exposure.version,
        contract_id=position.contract.contract_id,
        currency=_currency(position),
        left_minor=position.left_minor,
        alert_percent=position.alert_percent,
    )


def _currency(position: Position) -> str:
    if position.currency is None:
        raise AssertionError("unreachable: who had a contract has a currency")
    return position.currency
