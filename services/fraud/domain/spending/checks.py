"""One figure that a rule over spending looks at."""

from typing import NamedTuple

from services.fraud.domain.spending.asks import Verdict


class SpendCheck(NamedTuple):
    """From ``step_up`` on the member must confirm, from ``deny`` on nothing goes; None: this figure denies nothing."""

    name: str
    step_up: int
    deny: int | None
    window: str

    def verdict_on(self, observed: int) -> Verdict:
        """What this figure alone asks for."""
        if self.deny is not None and observed >= self.deny:
            return Verdict.DENY
        return Verdict.STEP_UP if observed >= self.step_up else Verdict.ALLOW
