"""What is told of a correction: the difference, once for each part of the award that it changes."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from services.accrual.domain.award_parts import every_part
from services.accrual.domain.correcting import PartThen
from services.accrual.domain.decisions import Document
from services.accrual.domain.evaluation import Evaluation
from services.accrual.programme import Programme
from services.accrual.repository.fraud_holds import FraudHold
from services.accrual.use_cases.correction_commands import Asked
from services.accrual.use_cases.judge_correction import CorrectionJudged
from services.accrual.use_cases.messages import SOURCE, balance_of
from services.accrual.use_cases.part_messages import WAITS
from shared.database import Transaction
from shared.events.award_parts import AwardPart, RulePoints
from shared.events.catalogue import POINTS
from shared.events.envelope import Event
from shared.events.points import (
    AwardData,
    ClawBackData,
    PendingData,
    PointsClawedBack,
    PointsEarned,
    PointsPending,
)
from shared.ids import new_id
from shared.ledger import ClawBack, EarnPending, Posted
from shared.ledger.telling import funding_told, limits_told
from shared.outbox import Message
from shared.receipt_key import receipt_id_of
from shared.telemetry.trace_context import child_traceparent

CAUSE = "correction"


def corrected_messages(
    transaction: Transaction,
    document: Document,
    judged: CorrectionJudged,
    posted: Sequence[tuple[Asked, Posted]],
    hold: FraudHold | None,
    programme: Programme,
) -> list[Message]:
    """That points were taken back, or earned besides; of those that cannot be spent yet, why and until when."""
    telling = _Telling(transaction, document, judged, hold, programme)
    return [message for asked, outcome in posted for message in telling.of(asked, outcome)]


class _Telling:
    def __init__(
        self,
        transaction: Transaction,
        document: Document,
        judged: CorrectionJudged,
        hold: FraudHold | None,
        programme: Programme,
    ) -> None:
        self._now = transaction.now
        self._document = document
        self._judged = judged
        self._hold = hold
        self._programme = programme

    def of(self, asked: Asked, posted: Posted) -> list[Message]:
        """What one command of a correction is told as."""
        data = self._document.event.data
        said: dict[str, Any] = {
            "member_id": posted.command.owner_id,
            "partner_id": data.partner_id,
            "point_type": posted.command.point_type,
            "points": posted.points,
            "balance": balance_of(posted.balance),
        }
        named = {"receipt_id": data.receipt_id, "original_receipt_id": receipt_id_of(self._judged.award.natural_key)}
        if isinstance(asked.command, ClawBack):
            return [self._message(PointsClawedBack, ClawBackData(**said, **named, **self._taken(asked, posted)))]
        told = [self._message(PointsEarned, AwardData(**said, **named, **self._given(asked, posted)))]
        if isinstance(asked.command, EarnPending):
            told.append(self._message(PointsPending, PendingData(**self._pending(asked, posted))))
        return told

    def _taken(self, asked: Asked, posted: Posted) -> dict[str, Any]:
        return {
            "became_debt": posted.debt_added - posted.debt_cleared,
            "clipped": posted.shortfall,
            "cause": CAUSE,
            "part": asked.number,
            "funding": funding_told(asked.command.terms.funding),
            "occurred_at": self._judged.purchase.occurred_at,
        }

    def _given(self, asked: Asked, posted: Posted) -> dict[str, Any]:
        judged = self._judged
        return {
            "debt_cleared": posted.debt_cleared,
            "by_rule": tuple(self._by_rule(asked.part)),
            "rule_set_version": judged.award.rule_set_version,
            "occurred_at": judged.purchase.occurred_at,
            "part": None if asked.number is None else _part_told(asked, asked.number),
        }

    def _by_rule(self, part: PartThen) -> list[RulePoints]:
        """By rule, what is earned more or less of a part."""
        before, after = (self._rules_of(one, part) for one in (self._judged.anew.before, self._judged.anew.after))
        changed = {rule_id: after.get(rule_id, 0) - before.get(rule_id, 0) for rule_id in {**before, **after}}
        return [RulePoints(rule_id=rule_id, points=points) for rule_id, points in changed.items() if points]

    def _rules_of(self, evaluation: Evaluation, part: PartThen) -> dict[str, int]:
        found = every_part(evaluation, self._judged.frozen.earned_on)
        return dict(next((one.by_rule for one in found if one.key == part.key), ()))

    def _pending(self, asked: Asked, posted: Posted) -> dict[str, Any]:
        wait, hold = asked.part.key.wait, self._hold
        if hold is not None:
            reason, ends_at = hold.rule_code, hold.ends_at
        else:
            reason = WAITS if wait is None or wait.event is None else wait.event
            ends_at = None if wait is None else datetime.combine(wait.until, time(), self._programme.zone)
        return {
            "member_id": posted.command.owner_id,
            "receipt_id": receipt_id_of(self._judged.award.natural_key),
            "point_type": posted.command.point_type,
            "points": posted.points,
            "reason": reason,
            "ends_at": ends_at,
            "balance": balance_of(posted.balance),
            "part": asked.number,
        }

    def _message(self, kind: type[PointsClawedBack | PointsEarned | PointsPending], data: Any) -> Message:
        event: Event = kind(
            id=new_id(),
            source=SOURCE,
            subject=str(data.member_id),
            time=self._now,
            traceparent=child_traceparent(self._document.event.traceparent),
            data=data,
        )
        return Message.of(event, POINTS.topic, event.subject)


def _part_told(asked: Asked, number: int) -> AwardPart:
    terms, wait = asked.command.terms, asked.part.key.wait
    is_pending = wait is not None and isinstance(asked.command, EarnPending)
    return AwardPart(
        number=number,
        expires_on=terms.expires_on,
        waits_until=wait.until if wait is not None and is_pending else None,
        waits_for=wait.event if wait is not None and is_pending else None,
        funding=funding_told(terms.funding),
        limits=limits_told(terms.limits),
        basis=None if terms.basis == "purchase" else terms.basis,
    )
