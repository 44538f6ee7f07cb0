"""What HTTP says about data quality. No answer holds a personal value."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from services.members.domain.data_quality import (
    SCORES_A_BUCKET,
    AspectWeights,
    CheckOutcome,
    FieldCheck,
    FieldWeights,
    FreshDays,
    Quality,
    QualityField,
    QualityRules,
    Repair,
)
from services.members.schemas.fields import AnswerModel, Source
from services.members.use_cases.read_data_quality import Report
from shared.web import AwareTime, Body


class RulesBody(Body):
    """What counts from now on. Weights are whole numbers and count by their share; 0: not at all."""

    fields: FieldWeights
    aspects: AspectWeights
    fresh_days: FreshDays

    def rules(self) -> QualityRules:
        """The rules to be declared."""
        return QualityRules(fields=self.fields, aspects=self.aspects, fresh_days=self.fresh_days)


class CheckBody(Body):
    """What was found out about a field: its value is right (``verified``) or wrong (``invalid``)."""

    field: QualityField
    outcome: CheckOutcome
    source: Source
    checked_at: AwareTime | None = Field(default=None, description="When it was found out; left out: now.")


class CheckAnswer(AnswerModel):
    """A check. It holds unless the value was stated, or checked, later."""

    check_id: UUID
    member_id: UUID
    field: QualityField
    outcome: CheckOutcome
    source: str
    checked_at: datetime
    holds: bool

    @classmethod
    def of(cls, check: FieldCheck, holds: bool) -> Self:
        """The answer for a check."""
        return cls(
            check_id=check.check_id,
            member_id=check.member_id,
            field=check.field,
            outcome=check.outcome,
            source=check.source,
            checked_at=check.checked_at,
            holds=holds,
        )


class RepairAnswer(AnswerModel):
    """What would raise a score: a field is to be filled, corrected, verified or asked for again."""

    field: QualityField
    repair: Repair


class QualityAnswer(AnswerModel):
    """How well a member is known."""

    member_id: UUID
    score_percent: int
    repairs: list[RepairAnswer]

    @classmethod
    def of(cls, member_id: UUID, quality: Quality) -> Self:
        """The answer for a member."""
        return cls(
            member_id=member_id,
            score_percent=quality.score_percent,
            repairs=[RepairAnswer(field=field, repair=repair) for field, repair in quality.repairs],
        )


class BucketAnswer(AnswerModel):
    """Members with a score from and to, both included."""

    from_percent: int
    to_percent: int
    members: int


class FieldReport(AnswerModel):
    """How many members' field is to be repaired, by what is to be done."""

    field: QualityField
    fill: int
    correct: int
    verify: int
    refresh: int


class RulesAnswer(AnswerModel):
    """What counts."""

    fields: FieldWeights
    aspects: AspectWeights
    fresh_days: int

    @classmethod
    def of(cls, rules: QualityRules) -> Self:
        """The answer for rules."""
        return cls(fields=rules.fields, aspects=rules.aspects, fresh_days=rules.fresh_days)


class ReportAnswer(AnswerModel):
    """All members who take part."""

    members: int
    buckets: list[BucketAnswer]
    fields: list[FieldReport]

    @classmethod
    def of(cls, report: Report) -> Self:
        """The answer for a report."""
        last = len(report.buckets) - 1
        return cls(
            members=report.members,
            buckets=[
                BucketAnswer(
                    from_percent=number * SCORES_A_BUCKET,
                    to_percent=100 if number == last else (number + 1) * SCORES_A_BUCKET - 1,
                    members=members,
                )
                for number, members in enumerate(report.buckets)
            ],
            fields=[FieldReport(field=field, **counts) for field, counts in report.repairs.items()],
        )
