"""``VEL_BURN``: one member spends unusually often in a day."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

from services.fraud.domain.spending.asks import Ask, Known
from services.fraud.domain.spending.checks import SpendCheck


class VelBurn(BaseModel):
    """Asks in 24 hours, this one included: more than three are confirmed, and the twentieth is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Literal["VEL_BURN"] = "VEL_BURN"
    step_up_asks: PositiveInt = 4
    deny_asks: PositiveInt | None = 20

    def checks(self) -> tuple[SpendCheck, ...]:
        """The rule's figures, in the order of ``observe``."""
        return (SpendCheck("asks_in_day", self.step_up_asks, self.deny_asks, "24h"),)

    def reason(self) -> str:
        """What is unusual, in plain words."""
        return "points were asked for unusually often within a day"

    def observe(self, _ask: Ask, known: Known) -> tuple[int, ...]:
        """This ask with those before it."""
        return (len(known.asks) + 1,)
