"""``SPEND_AMOUNT``: many points at once, or in a day."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

from services.fraud.domain.spending.asks import Ask, Known
from services.fraud.domain.spending.checks import SpendCheck


class SpendAmount(BaseModel):
    """Points of one ask, and all that were asked for in 24 hours with it, of whichever type in its smallest unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Literal["SPEND_AMOUNT"] = "SPEND_AMOUNT"
    step_up_points: PositiveInt = 20_000
    deny_points: PositiveInt | None = None
    step_up_points_in_day: PositiveInt = 50_000
    deny_points_in_day: PositiveInt | None = None

    def checks(self) -> tuple[SpendCheck, ...]:
        """The rule's figures, in the order of ``observe``."""
        return (
            SpendCheck("points", self.step_up_points, self.deny_points, "ask"),
            SpendCheck("points_in_day", self.step_up_points_in_day, self.deny_points_in_day, "24h"),
        )

    def reason(self) -> str:
        """What is unusual, in plain words."""
        return "many points at once, or within a day"

    def observe(self, ask: Ask, known: Known) -> tuple[int, ...]:
        """This ask with those before it."""
        return (ask.points, ask.points + sum(earlier.points for earlier in known.asks))
