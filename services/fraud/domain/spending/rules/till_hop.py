"""``TILL_HOP``: one member spends in many stores within a short time."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from services.fraud.domain.spending.asks import Ask, Known, Place
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

    def reason(self) -> str:
        """What is unusual, in plain words."""
        return f"points were asked for in many stores within {self.window_minutes} minutes"

    def observe(self, ask: Ask, known: Known) -> tuple[int, ...]:
        """This ask with those before it."""
        since = known.at - timedelta(minutes=self.window_minutes)
        places = {earlier.place for earlier in known.asks if earlier.asked_at > since} | {ask.place}
        return (len(places - {Place()}),)
