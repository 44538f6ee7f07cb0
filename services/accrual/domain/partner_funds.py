"""Whether a partner's contract lets its receipts earn.

Contracts bind from the first one on: before it begins, and at a partner that never had one, nothing is enforced. After
that a receipt of a time that no contract covers waits for one, and is never refused for the lack of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

Ruling: TypeAlias = Literal["earns", "exhausted", "no_contract"]


class Period(NamedTuple):
    """When a contract holds: from its beginning until just before its end, if it has one."""

    effective_from: datetime
    effective_until: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether the contract is in force at a moment."""
        return self.effective_from <= at and (self.effective_until is None or at < self.effective_until)

    def never_holds(self) -> bool:
        """Whether it was ended before it began."""
        return self.effective_until is not None and self.effective_until <= self.effective_from


class Funds(NamedTuple):
    """A partner's contracts, and whether what they allow is used up, as far as this process has heard."""

    contracts: tuple[Period, ...] = ()
    is_exhausted: bool = False


FundsOf: TypeAlias = Mapping[str, Funds]


def rule_on(funds: Funds | None, occurred_at: datetime) -> Ruling:
    """What becomes of a receipt of this time at a partner with these funds."""
    contracts = () if funds is None else [period for period in funds.contracts if not period.never_holds()]
    if funds is None or not contracts or occurred_at < min(period.effective_from for period in contracts):
        return "earns"
    if not any(period.holds(occurred_at) for period in contracts):
        return "no_contract"
    return "exhausted" if funds.is_exhausted else "earns"
