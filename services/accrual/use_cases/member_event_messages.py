"""What is told of member events: codes and points, never what their payloads say."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from services.accrual.domain.award_parts import EarnedPart
from services.accrual.domain.decisions import Awarded
from services.accrual.domain.event_awards import event_id_of, read_decision
from services.accrual.domain.member_events import MemberEvent
from services.accrual.repository.award_parts import StoredPart
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.messages import balance_of, message_of_member
from shared.database import Transaction
from shared.events.award_parts import AwardPart, RulePoints
from shared.events.member_events import (
    MemberEventData,
    MemberEventPart,
    MemberEventRecorded,
    MemberEventRevoked,
    MemberEventSettled,
    RevokedMemberEventData,
    RevokedMemberEventPart,
    SettledMemberEventData,
)
from shared.ledger import ClawBack, EarnPending, Posted
from shared.ledger.telling import funding_told, limits_told
from shared.outbox import Message


def recorded_message(
    transaction: Transaction,
    event: MemberEvent,
    owner_id: UUID,
    posted: Sequence[tuple[EarnedPart | None, Posted]],
    awarded: Awarded | None = None,
) -> Message:
    """An event was recorded, and gave points or none: of its type's own, or what rules gave, part by part."""
    own = [outcome for _, outcome in posted if outcome.command.point_type == event.point_type]
    data = MemberEventData(
        member_id=owner_id,
        event_id=event.event_id,
        type_code=event.type_code,
        type_version=event.type_version,
        occurred_at=event.occurred_at,
        refusal=event.refusal,
        point_type=event.point_type,
        points=event.points,
        debt_cleared=sum(outcome.debt_cleared for outcome in own),
        expires_on=event.expires_on,
        balance=balance_of(own[-1].balance) if own else None,
        rule_set_version=None if awarded is None else awarded.evaluation.rule_set_version,
        parts=tuple(_part(part, outcome) for part, outcome in posted if part is not None),
    )
    return message_of_member(transaction, MemberEventRecorded, owner_id, data)


def _part(part: EarnedPart, posted: Posted) -> MemberEventPart:
    terms, wait = part.key.terms, part.key.wait if isinstance(posted.command, EarnPending) else None
    return MemberEventPart(
        part=AwardPart(
            number=part.number,
            expires_on=terms.expires_on,
            waits_until=None if wait is None else wait.until,
            waits_for=None if wait is None else wait.event,
            funding=funding_told(terms.funding),
            limits=limits_told(terms.limits),
            basis=terms.basis,
        ),
        point_type=posted.command.point_type,
        points=posted.points,
        debt_cleared=posted.debt_cleared,
        by_rule=tuple(RulePoints(rule_id=rule_id, points=points) for rule_id, points in part.by_rule),
        balance=balance_of(posted.balance),
    )


def revoked_message(
    transaction: Transaction, event: MemberEvent, owner_id: UUID, posted: Sequence[tuple[int | None, Posted]]
) -> Message:
    """What made an event was undone, and what it gave was taken back: at once, or part by part (their numbers)."""
    own = [outcome for _, outcome in posted if outcome.command.point_type == event.point_type]
    data = RevokedMemberEventData(
        member_id=owner_id,
        event_id=event.event_id,
        type_code=event.type_code,
        reason_code=event.revoke_reason or "",
        point_type=event.point_type,
        points=sum(outcome.points for outcome in own),
        became_debt=event.became_debt,
        balance=balance_of(own[-1].balance) if own else None,
        clipped=event.clipped,
        parts=tuple(_taken(number, outcome) for number, outcome in posted if number is not None),
    )
    return message_of_member(transaction, MemberEventRevoked, owner_id, data)


def _taken(number: int, posted: Posted) -> RevokedMemberEventPart:
    command = posted.command
    return RevokedMemberEventPart(
        number=number,
        point_type=command.point_type,
        points=posted.points,
        became_debt=posted.debt_added - posted.debt_cleared,
        clipped=posted.shortfall,
        funding=funding_told(command.terms.funding) if isinstance(command, ClawBack) else None,
        balance=balance_of(posted.balance),
    )


def settled_message(
    transaction: Transaction,
    award: StoredAward,
    part: StoredPart,
    outcome: Literal["released", "lapsed"],
    reason: str,
    posted: Posted,
) -> Message:
    """Points of an event that waited may be spent, or are nobody's."""
    data = SettledMemberEventData(
        member_id=posted.command.owner_id,
        event_id=event_id_of(award.natural_key),
        type_code=read_decision(award.decision).type_code,
        outcome=outcome,
        reason=reason,
        part=part.number,
        point_type=part.point_type,
        points=posted.points,
        expires_on=part.lot.expires_on if outcome == "released" else None,
        balance=balance_of(posted.balance),
    )
    return message_of_member(transaction, MemberEventSettled, posted.command.owner_id, data)
