"""What a backtest is asked for, and where it stands."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.passing import PassingError

BacktestState: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]
# ``too_large``: more is to be counted than fits. ``kept_failing``: whoever ran it died, several times.
Failure: TypeAlias = Literal["too_large", "kept_failing", "faulty_rule_set"]

OPEN_STATES: frozenset[BacktestState] = frozenset({"queued", "running"})
PERIOD_DAYS_MAX = 366
FIRST_DAY = date(1970, 1, 1)  # no receipt is older, and in any zone there is a moment before its midnight
QUEUED_MAX = 20
PRICE_PLACES = 6


class BacktestNotFoundError(Exception):
    """There is no such backtest."""


class BacktestEndedError(Exception):
    """It is over: there is nothing left to cancel."""


class BacktestNotDoneError(Exception):
    """There is no report yet, or there never will be one."""


class TooManyBacktestsError(PassingError):
    """Enough of them wait."""


class UnusablePeriodError(Exception):
    """The days cannot be judged again. ``field`` says which of them to change."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class BacktestRequest(BaseModel):
    """Receipts of these days (both included, on the programme's clock), judged again by one rule set.

    ``sample_percent`` of the members, always the same ones. Prices are those of one point, in major units.
    """

    model_config = ConfigDict(frozen=True)

    rule_set_id: UUID
    rule_set_revision: int
    from_date: date
    until_date: date
    partners: tuple[str, ...] = ()
    sample_percent: Annotated[int, Field(ge=1, le=100)] = 100
    point_price: Decimal = Decimal(0)
    partner_prices: Mapping[str, Decimal] = {}


class Backtest(NamedTuple):
    """One backtest as it stands."""

    backtest_id: UUID
    state: BacktestState
    request: BacktestRequest
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    receipts_read: int
    receipts_expected: int | None
    failure: Failure | None


class ClaimedBacktest(NamedTuple):
    """One that a process has come to run, under its epoch."""

    backtest_id: UUID
    epoch: int
    request: BacktestRequest
    rule_set: Mapping[str, Any]


def check_period(from_date: date, until_date: date, today: date) -> None:
    """Whether receipts of these days can be judged again.

    Raises:
        UnusablePeriodError: with the field to change.
    """
    if until_date < from_date:
        raise UnusablePeriodError("/until_date", "the last day is before the first")
    if from_date < FIRST_DAY:
        raise UnusablePeriodError("/from_date", f"there are no receipts from before {FIRST_DAY}")
    if until_date > today:
        raise UnusablePeriodError("/until_date", "there are no receipts of days to come")
    if (until_date - from_date).days >= PERIOD_DAYS_MAX:
        raise UnusablePeriodError("/from_date", f"at most {PERIOD_DAYS_MAX} days are judged at once")


def millionths(price: Decimal) -> int:
    """A price as a whole number of millionths."""
    return int(price.scaleb(PRICE_PLACES))
