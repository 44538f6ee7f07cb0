"""What HTTP says of points by their days."""

from datetime import date
from typing import Self

from pydantic import Field

from services.redemption.domain.by_date import ByDate
from services.redemption.schemas.answer import Answer


class PointsOfDayAnswer(Answer):
    """Points of one day."""

    date: date
    points: int


class ByDateAnswer(Answer):
    """Points by day, the nearest day first. All of ``days``, ``later_points`` and ``undated_points`` together are what
    the balance says."""

    days: list[PointsOfDayAnswer]
    later_points: int = Field(description="Of all days after these, where there are too many to be listed.")
    undated_points: int = Field(description="Available: they never expire. Pending: from when is not known yet.")

    @classmethod
    def of(cls, points: ByDate) -> Self:
        """The answer for points by day."""
        days = [PointsOfDayAnswer(date=day, points=number) for day, number in points.days]
        return cls(days=days, later_points=points.later, undated_points=points.undated)
