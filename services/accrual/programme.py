"""What the programme has set for accrual, and the rule sets it has published, as one process sees them."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from services.accrual.domain.rules import RuleSet, RuleSetHistory
from services.accrual.repository import rule_sets
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme a deployment. ``zone`` is where its days begin and end."""

    point_type: str
    currency: str
    zone: ZoneInfo
    parked_window: timedelta


class PublishedRules:
    """Every published rule set. Immutable versions are read once; new ones by ``refresh``.

    A version is published at least a minute before it takes effect, which is why a process that refreshes every few
    seconds never judges by an outdated set.
    """

    def __init__(self) -> None:
        self._versions: dict[int, RuleSet] = {}
        self.history = RuleSetHistory(())

    async def refresh(self, transaction: Transaction) -> None:
        """Read the versions that are new."""
        newer = await rule_sets.load_newer(transaction, max(self._versions, default=0))
        if newer:
            self._versions |= {rule_set.version: rule_set for rule_set in newer}
            self.history = RuleSetHistory(tuple(self._versions.values()))
