"""Whether a partner's contract lets its receipts earn.

Contracts bind from the first one on: before it begins, and at a partner that never had one, nothing is enforced. After
that a receipt of a time that no contract covers waits for one, and is never refused for the lack of it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

# How far the door's reading of the database's clock may lie behind it.
CLOCKS_APART: Final = timedelta(seconds=2)

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
    """A partner's contracts, and whether what they allow is used up, as far as this process has heard.

    ``told_at`` is the time of which coalition said so last; None where it is not known.
    """

    contracts: tuple[Period, ...] = ()
    is_exhausted: bool = False
    told_at: datetime | None = None

    def was_exhausted_after(self, received_at: datetime) -> bool:
        """Whether it was still used up when a receipt that the door took then had arrived.

        What is heard is always a little old. A partner may have paid since, and a refusal is final: so only what was
        said of a later time refuses a receipt. Coalition says it again for as long as it holds.
        """
        return self.is_exhausted and self.told_at is not None and received_at + CLOCKS_APART <= self.told_at


FundsOf: TypeAlias = Mapping[str, Funds]


def rule_on(funds: Funds | None, occurred_at: datetime) -> Ruling:
    """What becomes of a receipt of this time at a partner with these funds."""
    contracts = () if funds is None else [period for period in funds.contracts if not period.never_holds()]
    if funds is None or not contracts or occurred_at < min(period.effective_from for period in contracts):
        return "earns"
    if not any(period.holds(occurred_at) for period in contracts):
        return "no_contract"
    return "exhausted" if funds.is_exhausted else "earns"
