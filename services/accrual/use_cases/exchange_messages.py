"""What is told of exchanges: both sides at once, for each member and each type of points."""

from collections.abc import Sequence
from uuid import UUID

from services.accrual.domain.award_parts import EarnedPart, TakenPart
from services.accrual.domain.decisions import Awarded, ClawedBack, Exchanged, GivenBack
from services.accrual.domain.rules.pending import Wait
from services.accrual.use_cases.exchange_sides import Asked
from services.accrual.use_cases.messages import SOURCE, balance_of
from shared.database import Transaction
from shared.events.award_parts import AwardPart, RulePoints
from shared.events.catalogue import POINTS
from shared.events.points import GivenPoints, PointsExchanged, PointsExchangeData, TakenPoints
from shared.ids import new_id
from shared.ledger import ClawBack, Earn, EarnPending, LotTerms, Posted
from shared.ledger.telling import funding_told, limits_told
from shared.outbox import Message
from shared.receipt_key import receipt_id_of
from shared.telemetry.trace_context import child_traceparent


def exchanged_messages(
    transaction: Transaction, exchange: Exchanged, moved: Sequence[tuple[Asked, Posted]]
) -> list[Message]:
    """``PointsExchanged`` of an exchange, or of its void: once for each member and type of points that it moved."""
    by_account: dict[tuple[UUID, str], list[tuple[Asked, Posted]]] = {}
    for asked, posted in moved:
        command = posted.command
        by_account.setdefault((command.owner_id, command.point_type), []).append((asked, posted))
    return [
        _message(transaction, exchange, member_id, point_type, moves)
        for (member_id, point_type), moves in by_account.items()
    ]


def _message(
    transaction: Transaction,
    exchange: Exchanged,
    member_id: UUID,
    point_type: str,
    moves: Sequence[tuple[Asked, Posted]],
) -> Message:
    data = exchange.document.event.data
    taken = [posted for asked, posted in moves if isinstance(asked.decision, ClawedBack)]
    event = PointsExchanged(
        id=new_id(),
        source=SOURCE,
        subject=str(member_id),
        time=transaction.now,
        traceparent=child_traceparent(exchange.document.event.traceparent),
        data=PointsExchangeData(
            member_id=member_id,
            receipt_id=data.receipt_id,
            partner_id=data.partner_id,
            point_type=point_type,
            cause="void" if exchange.taken.cause == "void" else "exchange",
            given=tuple(given for move in moves if (given := _given(*move)) is not None),
            taken=tuple(took for move in moves if (took := _taken(*move)) is not None),
            became_debt=sum(posted.debt_added - posted.debt_cleared for posted in taken),
            debt_cleared=sum(
                posted.debt_cleared for _, posted in moves if isinstance(posted.command, Earn | EarnPending)
            ),
            rule_set_version=exchange.given.evaluation.rule_set_version if exchange.given is not None else None,
            balance=balance_of(moves[-1][1].balance),
        ),
    )
    return Message.of(event, POINTS.topic, event.subject)


def _given(asked: Asked, posted: Posted) -> GivenPoints | None:
    decision, part = asked.decision, asked.part
    command = posted.command
    if not isinstance(command, Earn | EarnPending) or not isinstance(decision, Awarded | GivenBack):
        return None
    is_pending = isinstance(command, EarnPending)
    if isinstance(decision, GivenBack):
        told = _part_told(part.number, command.terms, None) if part is not None else None
        receipt_id = receipt_id_of(decision.original_key)
        return GivenPoints(receipt_id=receipt_id, occurred_at=decision.occurred_at, points=posted.points, part=told)
    return GivenPoints(
        receipt_id=decision.document.event.data.receipt_id,
        occurred_at=decision.document.event.data.occurred_at,
        points=posted.points,
        by_rule=_by_rule(decision, part),
        part=_part_told(part.number, command.terms, part.key.wait if is_pending else None)
        if isinstance(part, EarnedPart)
        else None,
    )


def _by_rule(decision: Awarded, part: EarnedPart | TakenPart | None) -> tuple[RulePoints, ...]:
    if isinstance(part, EarnedPart):
        return tuple(RulePoints(rule_id=rule_id, points=points) for rule_id, points in part.by_rule)
    return tuple(RulePoints(rule_id=rule.rule_id, points=rule.points) for rule in decision.evaluation.applied)


def _part_told(number: int, terms: LotTerms, wait: Wait | None) -> AwardPart:
    return AwardPart(
        number=number,
        expires_on=terms.expires_on,
        waits_until=wait.until if wait is not None else None,
        waits_for=wait.event if wait is not None else None,
        funding=funding_told(terms.funding),
        limits=limits_told(terms.limits),
        basis=None if terms.basis == "purchase" else terms.basis,
    )


def _taken(asked: Asked, posted: Posted) -> TakenPoints | None:
    if not isinstance(asked.decision, ClawedBack) or not isinstance(posted.command, ClawBack):
        return None
    return TakenPoints(
        receipt_id=receipt_id_of(asked.decision.original_key),
        points=posted.points,
        clipped=posted.shortfall,
        part=asked.part.number if asked.part is not None else None,
        funding=funding_told(posted.command.terms.funding),
    )
