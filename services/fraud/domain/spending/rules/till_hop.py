"""``TILL_HOP``: one member spends in many stores within a short time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from services.fraud.domain.spending.asks import Ask, EarlierAsk, Place
from services.fraud.domain.spending.checks import SpendCheck


class TillHop(BaseModel):
    """Stores in which points were asked for within ``window_minutes``, this one included.

    A shopping street has many partners, which is why two are nothing. Asks of a store that is not known count as one
    store of their partner; gifts are made nowhere, and count for nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Literal["TILL_HOP"] = "TILL_HOP"
    window_minutes: Annotated[int, Field(gt=0, le=24 * 60)] = 60
    step_up_stores: PositiveInt = 3
    deny_stores: PositiveInt | None = None

    def checks(self) -> tuple[SpendCheck, ...]:
        """The rule's figures, in the order of ``observe``."""
        return (SpendCheck("stores", self.step_up_stores, self.deny_stores, f"{self.window_minutes}min"),)

    def observe(self, ask: Ask, before: Sequence[EarlierAsk], at: datetime) -> tuple[int, ...]:
        """``before`` are the asks of the last 24 hours, without this one."""
        since = at - timedelta(minutes=self.window_minutes)
        places = {earlier.place for earlier in before if earlier.asked_at > since} | {ask.place}
        return (len(places - {Place()}),)
