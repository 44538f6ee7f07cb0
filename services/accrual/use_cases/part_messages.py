"""What is told of awards in parts: once for each part."""

from datetime import datetime, time

from services.accrual.domain.award_parts import EarnedPart
from services.accrual.domain.decisions import Awarded
from services.accrual.domain.rules.pending import Wait
from services.accrual.programme import Programme
from services.accrual.repository.award_parts import StoredPart
from services.accrual.use_cases.messages import SOURCE, balance_of, earned_event, message_of_member
from shared.database import Transaction
from shared.events.catalogue import POINTS
from shared.events.points import LapseData, PendingData, PointsLapsed, PointsPending
from shared.ids import new_id
from shared.ledger import EarnPending, Posted
from shared.ledger.telling import funding_told, limits_told
from shared.outbox import Message
from shared.receipt_key import receipt_id_of
from shared.telemetry.trace_context import child_traceparent

WAITS = "waits"  # the reason of what waits by the rules themselves


def part_earned_messages(
    transaction: Transaction, awarded: Awarded, part: EarnedPart, posted: Posted, programme: Programme
) -> list[Message]:
    """A part was awarded, and waits where it was issued to its pending lot."""
    terms, wait = part.key.terms, part.key.wait
    is_pending = wait is not None and isinstance(posted.command, EarnPending)
    funding, limits = funding_told(terms.funding), limits_told(terms.limits)
    said: dict[str, object] = {"number": part.number}  # of most parts there is no more to tell
    if terms.expires_on is not None:
        said["expires_on"] = terms.expires_on
    if wait is not None and is_pending:
        said["waits_until"] = wait.until
        if wait.event is not None:
            said["waits_for"] = wait.event
    if funding is not None:
        said["funding"] = funding.model_dump(mode="json", exclude_none=True)
    if limits is not None:
        said["limits"] = limits.model_dump(mode="json", exclude_none=True)
    if terms.basis != "purchase":
        said["basis"] = terms.basis
    by_rule: list[dict[str, object]] = [{"rule_id": rule_id, "points": points} for rule_id, points in part.by_rule]
    told = earned_event(transaction, awarded, posted, by_rule, said)
    return [told, *waiting_messages(transaction, awarded, part, posted, programme)]


def waiting_messages(
    transaction: Transaction, awarded: Awarded, part: EarnedPart, posted: Posted, programme: Programme
) -> list[Message]:
    """A part waits where it was issued to its pending lot; of others there is nothing to tell."""
    wait = part.key.wait
    is_pending = wait is not None and isinstance(posted.command, EarnPending)
    return [_waits(transaction, awarded, part, wait, posted, programme)] if wait is not None and is_pending else []


def _waits(
    transaction: Transaction, awarded: Awarded, part: EarnedPart, wait: Wait, posted: Posted, programme: Programme
) -> Message:
    event = PointsPending(
        id=new_id(),
        source=SOURCE,
        subject=str(awarded.owner_id),
        time=transaction.now,
        traceparent=child_traceparent(awarded.document.event.traceparent),
        data=PendingData(
            member_id=awarded.owner_id,
            receipt_id=awarded.document.event.data.receipt_id,
            point_type=posted.command.point_type,
            points=posted.points,
            reason=WAITS if wait.event is None else wait.event,
            ends_at=datetime.combine(wait.until, time(), programme.zone),
            balance=balance_of(posted.balance),
            part=part.number,
        ),
    )
    return Message.of(event, POINTS.topic, event.subject)


def lapsed_message(transaction: Transaction, partner_id: str, part: StoredPart, posted: Posted) -> Message:
    """A part waited for an event that did not come."""
    data = LapseData(
        member_id=posted.command.owner_id,
        receipt_id=receipt_id_of(part.natural_key),
        partner_id=partner_id,
        point_type=part.point_type,
        points=posted.points,
        waited_for=(part.wait.event if part.wait is not None else None) or WAITS,
        balance=balance_of(posted.balance),
        part=part.number,
    )
    return message_of_member(transaction, PointsLapsed, posted.command.owner_id, data)
