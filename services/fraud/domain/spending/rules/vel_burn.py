"""``VEL_BURN``: one member spends unusually often in a day."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

from services.fraud.domain.spending.asks import Ask, EarlierAsk
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

    def observe(self, _ask: Ask, before: Sequence[EarlierAsk], _at: datetime) -> tuple[int, ...]:
        """``before`` are the asks of the last 24 hours, without this one."""
        return (len(before) + 1,)
