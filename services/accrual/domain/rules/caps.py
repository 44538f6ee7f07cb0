"""How much a rule, a campaign or a whole rule set gives at most.

Caps come last, in this order: each rule's own, its campaign's, those of the rule set, the balance cap, and a campaign's
budget. What is trimmed leaves the rules that were applied last first. Multipliers see what base rules gave before caps.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.accrual.domain.rules.funding import Basis, FundingTerms, SpendingLimits
from services.accrual.domain.rules.values import CodeText, Count, Frozen, NameText, Window, Zone
from shared.as_written import Day


class _Limits(Frozen):
    """So many points, in so many receipts, or both."""

    points_max: Count | None = None
    receipts_max: Count | None = None

    @model_validator(mode="after")
    def _check_limits(self) -> "_Limits":
        if self.points_max is None and self.receipts_max is None:
            raise ValueError("name points_max, receipts_max or both")
        return self


class ReceiptCap(Frozen):
    """So many points a receipt. More is trimmed to it, or gives nothing at all."""

    kind: Literal["receipt"] = "receipt"
    points_max: Count
    over: Literal["trim", "reject"] = "trim"


class MemberCap(_Limits):
    """So much for one member in a window; more is trimmed."""

    kind: Literal["member"] = "member"
    window: Window


class BalanceCap(Frozen):
    """A receipt lifts the member's balance up to here and no further: what is available, held and pending, less what
    is owed."""

    kind: Literal["balance"] = "balance"
    points_max: Count


Cap = Annotated[ReceiptCap | MemberCap, Field(discriminator="kind")]
RuleSetCap = Annotated[ReceiptCap | MemberCap | BalanceCap, Field(discriminator="kind")]


class Budget(_Limits):
    """What a campaign gives at most, to all members together. A return gives it back."""


class Campaign(Frozen):
    """A group of rules with dates of its own: from the first second of ``from_date`` to the last of ``until_date``.

    ``funding`` says who pays for what its rules give, ``limits`` what that may be spent on, ``basis`` why it is given;
    a rule may say otherwise. It is about the programme's own points.
    """

    id: CodeText
    name: NameText
    from_date: Day
    until_date: Day
    zone: Zone
    caps: Annotated[tuple[Cap, ...], Field(max_length=10)] = ()
    budget: Budget | None = None
    funding: FundingTerms | None = None
    limits: SpendingLimits | None = None
    basis: Basis | None = None

    @model_validator(mode="after")
    def _check_dates(self) -> "Campaign":
        if self.from_date > self.until_date:
            raise ValueError("from_date is after until_date: nothing could ever match")
        return self
