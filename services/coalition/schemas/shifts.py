"""What HTTP says of tills' shifts: gaps, statements, differences."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.coalition.domain.shifts import Difference, MissingNumbers, ShiftReport, Stated, differences_of, stated_of
from services.coalition.schemas.fields import AnswerModel
from shared.receipt_key import NUMBER_MAX, KeyNumber
from shared.web import Body, Minor, WholeNumber


class ShiftCloseBody(Body):
    """What a till's shift came to: documents (training aside), their sum less returns, and its numbers.

    Without ``first_number`` the documents are taken to be numbered one after the other up to ``last_number``.
    """

    business_date: date
    shift: KeyNumber
    count: WholeNumber
    total_minor: Minor
    first_number: Annotated[int, Field(ge=0, lt=NUMBER_MAX)] | None = None
    last_number: Annotated[int, Field(ge=0, lt=NUMBER_MAX)] | None = None

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        if self.last_number is None and (self.count or self.first_number is not None):
            raise PydanticCustomError("last_number", "A shift with documents says its last_number")
        if None not in (self.first_number, self.last_number) and (self.first_number or 0) > (self.last_number or 0):
            raise PydanticCustomError("last_number", "last_number does not lie before first_number")
        return self

    def stated(self) -> Stated:
        """The statement."""
        return stated_of(self.count, self.total_minor, self.first_number, self.last_number)


class MissingAnswer(AnswerModel):
    """Numbers that never came, both ends included."""

    first: int
    last: int

    @classmethod
    def of(cls, missing: MissingNumbers) -> Self:
        """The answer for a run of numbers."""
        return cls(first=missing.first, last=missing.last)


class GapAnswer(AnswerModel):
    """A till's shift of which receipts never came. ``missing`` holds the first hundred runs, ``missing_count`` all."""

    store_id: str
    till_id: str
    business_date: date
    shift: int
    received_count: int
    first_number: int | None
    last_number: int | None
    is_closed: bool
    last_arrived_at: datetime | None
    missing_count: int
    missing: list[MissingAnswer]

    @classmethod
    def of(cls, report: ShiftReport) -> Self:
        """The answer for a shift."""
        return cls(
            store_id=report.name.store_id,
            till_id=report.name.till_id,
            business_date=report.name.business_date,
            shift=report.name.shift,
            received_count=report.arrived.count,
            first_number=report.arrived.first_number,
            last_number=report.arrived.last_number,
            is_closed=report.stated is not None,
            last_arrived_at=report.arrived.last_arrived_at,
            missing_count=report.missing_count,
            missing=[MissingAnswer.of(missing) for missing in report.missing],
        )


class ShiftCloseAnswer(AnswerModel):
    """A shift's statement beside what arrived of it by now. ``differences`` is empty where the two agree."""

    store_id: str
    till_id: str
    business_date: date
    shift: int
    count: int
    total_minor: int
    first_number: int | None
    last_number: int | None
    received_count: int
    received_total_minor: int
    received_last_number: int | None
    missing_count: int
    differences: list[Difference]

    @classmethod
    def of(cls, report: ShiftReport) -> Self:
        """The answer for a shift that is closed."""
        stated, arrived = report.stated, report.arrived
        if stated is None:
            raise ValueError("the shift is not closed")
        return cls(
            store_id=report.name.store_id,
            till_id=report.name.till_id,
            business_date=report.name.business_date,
            shift=report.name.shift,
            count=stated.count,
            total_minor=stated.total_minor,
            first_number=stated.first_number,
            last_number=stated.last_number,
            received_count=arrived.count,
            received_total_minor=arrived.total_minor,
            received_last_number=arrived.last_number,
            missing_count=report.missing_count,
            differences=list(differences_of(report)),
        )
