"""What HTTP says of backtests."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from pydantic import Field

from services.accrual.domain.backtests.requests import PRICE_PLACES, Backtest, BacktestState, Failure
from services.accrual.schemas.fields import Answer
from shared.web import Body, CodeText

PARTNERS_MAX = 200

Price: TypeAlias = Annotated[
    Decimal,
    Field(ge=0, max_digits=12, decimal_places=PRICE_PLACES, description="Of one point, in major units, to six places."),
]


class BacktestBody(Body):
    """Which receipts are judged again, and by what. A draft is taken as it stands now.

    Days are those of the receipts, both included, on the programme's clock. Without ``partners`` all; of
    ``sample_percent`` of the members, the same ones each time. ``partner_prices`` stand in for ``point_price``.
    """

    rule_set_id: UUID
    from_date: date
    until_date: date
    partners: Annotated[list[CodeText], Field(max_length=PARTNERS_MAX, default_factory=list)]
    sample_percent: Annotated[int, Field(ge=1, le=100)] = 100
    point_price: Price = Decimal(0)
    partner_prices: Annotated[dict[CodeText, Price], Field(max_length=PARTNERS_MAX, default_factory=dict)]


class BacktestAnswer(Answer):
    """Where a backtest stands. ``receipts_expected`` is an estimate, and is there once it runs; all that were decided
    in the time are read, also those that turn out to be none of the period.
    """

    backtest_id: UUID
    state: BacktestState
    rule_set_id: UUID
    rule_set_revision: int
    from_date: date
    until_date: date
    partners: list[str]
    sample_percent: int
    point_price: Decimal
    partner_prices: dict[str, Decimal]
    receipts_read: int
    receipts_expected: int | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    failure: Failure | None

    @classmethod
    def of(cls, backtest: Backtest) -> Self:
        """The answer for a backtest as it stands."""
        said = backtest._asdict() | backtest.request.model_dump()
        return cls(**{name: said[name] for name in cls.model_fields})
