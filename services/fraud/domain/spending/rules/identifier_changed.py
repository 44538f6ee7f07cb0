"""``IDENTIFIER_CHANGED``: points leave soon after a card, phone or app link was added or replaced, or the e-mail
address became another one."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from services.fraud.domain.spending.asks import Ask, Known
from services.fraud.domain.spending.checks import SpendCheck

WINDOW_HOURS_MAX = 30 * 24


class IdentifierChanged(BaseModel):
    """Points of an ask within ``window_hours`` after the change, with all that were asked for since the change, as far
    as that was in the last 24 hours; 0 where nothing was changed so lately.

    Whoever took over an account links a card or phone of his own, and spends before the member notices. A few points
    are not worth a question; many small asks are many points. ``counts_contact``: another e-mail address is a change as
    well, since codes go there; versions of before it was thought of do not have it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Literal["IDENTIFIER_CHANGED"] = "IDENTIFIER_CHANGED"
    window_hours: Annotated[int, Field(gt=0, le=WINDOW_HOURS_MAX)] = 48
    step_up_points: PositiveInt = 1_000
    deny_points: PositiveInt | None = None
    counts_contact: Literal[True] | None = None

    def checks(self) -> tuple[SpendCheck, ...]:
        """The rule's figures, in the order of ``observe``."""
        return (SpendCheck("points_since_change", self.step_up_points, self.deny_points, f"{self.window_hours}h"),)

    def reason(self) -> str:
        """What is unusual, in plain words."""
        what = "a card, phone, app link or e-mail address" if self.counts_contact else "a card, phone or app link"
        return f"{what} was added or replaced within the {self.window_hours} hours before"

    def observe(self, ask: Ask, known: Known) -> tuple[int, ...]:
        """The window is open at its end: just ``window_hours`` later nothing is new any more."""
        told = [known.identifier_changed_at, known.contact_changed_at if self.counts_contact else None]
        changed_at = max((at for at in told if at is not None and at <= known.at), default=None)
        if changed_at is None or known.at >= changed_at + timedelta(hours=self.window_hours):
            return (0,)
        return (ask.points + sum(earlier.points for earlier in known.asks if earlier.asked_at >= changed_at),)
