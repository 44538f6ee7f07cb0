"""How long points stay reserved, by the channel that a checkout comes through."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MINUTE_SECONDS = 60
DAY_SECONDS = 86_400
HOLD_SECONDS_MAX = 366 * DAY_SECONDS
CHANNEL_DEFAULT = "till"


class HoldLife(BaseModel):
    """``seconds`` where a request does not say, ``seconds_max`` at most. ``is_taken_in_parts``: several receipts take
    their parts of a hold, as an order is shipped; else a receipt ends it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: int = Field(ge=1, le=HOLD_SECONDS_MAX)
    seconds_max: int = Field(ge=1, le=HOLD_SECONDS_MAX)
    is_taken_in_parts: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.seconds > self.seconds_max:
            raise ValueError("a hold that says nothing may live no longer than one that does")
        return self


HoldLives = Mapping[str, HoldLife]

HOLD_LIVES: HoldLives = {
    CHANNEL_DEFAULT: HoldLife(seconds=15 * MINUTE_SECONDS, seconds_max=DAY_SECONDS),
    "order": HoldLife(seconds=14 * DAY_SECONDS, seconds_max=60 * DAY_SECONDS, is_taken_in_parts=True),
}
