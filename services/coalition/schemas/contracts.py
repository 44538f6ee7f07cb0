"""What HTTP says of contracts. Prices are decimals written as strings, so that no reader makes binary fractions of
them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from services.coalition.domain.contracts import (
    Contract,
    ContractPhase,
    Exclusivity,
    Funding,
    FundingKind,
    Rate,
    SettleOn,
    Terms,
    WhenExhausted,
)
from services.coalition.schemas.fields import AnswerModel, refuse_repeated
from shared.money import is_currency
from shared.web import AwareTime, Body, CodeText, NonNegativeMinor, PositivePoints

RATES_MAX = 20
ALERT_LEVELS_MAX = 10
EXCLUSIVITIES_MAX = 200


def _known_currency(value: str) -> str:
    if not is_currency(value):
        raise PydanticCustomError("currency", "Input should be a currency of ISO 4217, as USD")
    return value


PriceText: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$",
        description="A decimal of at most six places as a string: one point's price in major units, without VAT.",
        examples=["0.010000"],
    ),
]
PercentText: TypeAlias = Annotated[
    str,
    Field(pattern=r"^[0-9]{1,2}(\.[0-9]{1,2})?$", description="A percentage as a string.", examples=["21.00"]),
]
CurrencyText: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_known_currency)]
Territory: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="ISO 3166: a country, or a part of one.")
]


class RateBody(Body):
    """Prices of one point of a type. Redemptions take ``minimum_points`` or more, in whole ``step_points``."""

    point_type: CodeText
    issue_price: PriceText
    redemption_price: PriceText
    vat_percent: PercentText
    settle_on: SettleOn
    minimum_points: PositivePoints = 1
    step_points: PositivePoints = 1

    def as_rate(self) -> Rate:
        """The rate as the domain has it."""
        return Rate(
            self.point_type,
            Decimal(self.issue_price),
            Decimal(self.redemption_price),
            Decimal(self.vat_percent),
            self.settle_on,
            self.minimum_points,
            self.step_points,
        )


class ExclusivityBody(Body):
    """A category that the partner gets for itself in a territory."""

    category: CodeText
    territory: Territory


class FundingBody(Body):
    """A prepaid block or a credit limit (``amount_minor``); alerts when these percentages of it are left."""

    kind: FundingKind
    amount_minor: NonNegativeMinor
    alert_percents: list[Annotated[int, Field(ge=1, le=99)]] = Field(default_factory=list, max_length=ALERT_LEVELS_MAX)
    when_exhausted: WhenExhausted
    reserve_minor: NonNegativeMinor = 0

    @model_validator(mode="after")
    def _reserve_goes_with_its_policy(self) -> Self:
        if (self.reserve_minor > 0) is not (self.when_exhausted == "reserve"):
            raise PydanticCustomError(
                "reserve", "reserve_minor goes with when_exhausted = reserve, and is above zero then"
            )
        return self

    def as_funding(self) -> Funding:
        """The funding as the domain has it."""
        levels = tuple(sorted(set(self.alert_percents), reverse=True))
        return Funding(self.kind, self.amount_minor, levels, self.when_exhausted, self.reserve_minor)


class TermsBody(Body):
    """What is agreed with a partner, from ``effective_from`` until just before ``effective_until``."""

    effective_from: AwareTime
    effective_until: AwareTime | None = None
    currency: CurrencyText
    rates: list[RateBody] = Field(min_length=1, max_length=RATES_MAX)
    funding: FundingBody
    exclusivities: list[ExclusivityBody] = Field(default_factory=list, max_length=EXCLUSIVITIES_MAX)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        refuse_repeated([rate.point_type for rate in self.rates], "point_type")
        refuse_repeated([f"{each.category} in {each.territory}" for each in self.exclusivities], "exclusivity")
        if self.effective_until is not None and self.effective_until <= self.effective_from:
            raise PydanticCustomError("end", "effective_until lies after effective_from")
        return self

    def as_terms(self) -> Terms:
        """The terms as the domain has them."""
        return Terms(
            self.effective_from,
            self.effective_until,
            self.currency,
            tuple(rate.as_rate() for rate in self.rates),
            self.funding.as_funding(),
            tuple(Exclusivity(each.category, each.territory) for each in self.exclusivities),
        )


class ContractBody(TermsBody):
    """A new contract of a partner."""

    partner_id: CodeText


class EndBody(Body):
    """When an approved contract ends, earlier than it would."""

    effective_until: AwareTime


class RateAnswer(AnswerModel):
    """Prices of one point of a type."""

    point_type: str
    issue_price: str
    redemption_price: str
    vat_percent: str
    settle_on: SettleOn
    minimum_points: int
    step_points: int

    @classmethod
    def of(cls, rate: Rate) -> Self:
        """The answer for a rate: every price with its six places."""
        return cls(
            point_type=rate.point_type,
            issue_price=f"{rate.issue_price:.6f}",
            redemption_price=f"{rate.redemption_price:.6f}",
            vat_percent=f"{rate.vat_percent:.2f}",
            settle_on=rate.settle_on,
            minimum_points=rate.minimum_points,
            step_points=rate.step_points,
        )


class FundingAnswer(AnswerModel):
    """How points are paid for."""

    kind: FundingKind
    amount_minor: int
    alert_percents: list[int]
    when_exhausted: WhenExhausted
    reserve_minor: int


class ExclusivityAnswer(AnswerModel):
    """A category that the partner has for itself in a territory."""

    category: str
    territory: str


class ContractAnswer(AnswerModel):
    """A contract. ``state``: an approved one is active from its date and ended by its end."""

    contract_id: UUID
    partner_id: str
    number: int
    state: ContractPhase
    version: int
    effective_from: datetime
    effective_until: datetime | None
    currency: str
    rates: list[RateAnswer]
    funding: FundingAnswer
    exclusivities: list[ExclusivityAnswer]
    authors: list[str]
    approved_by: str | None
    approved_at: datetime | None
    ended_by: str | None

    @classmethod
    def of(cls, contract: Contract, now: datetime) -> Self:
        """The answer for a contract as it stands at ``now``."""
        terms, funding = contract.terms, contract.terms.funding
        return cls(
            contract_id=contract.contract_id,
            partner_id=contract.partner_id,
            number=contract.number,
            state=contract.phase(now),
            version=contract.version,
            effective_from=terms.effective_from,
            effective_until=terms.effective_until,
            currency=terms.currency,
            rates=[RateAnswer.of(rate) for rate in terms.rates],
            funding=FundingAnswer(
                kind=funding.kind,
                amount_minor=funding.amount_minor,
                alert_percents=list(funding.alert_percents),
                when_exhausted=funding.when_exhausted,
                reserve_minor=funding.reserve_minor,
            ),
            exclusivities=[
                ExclusivityAnswer(category=each.category, territory=each.territory) for each in terms.exclusivities
            ],
            authors=list(contract.authors),
            approved_by=contract.approved_by,
            approved_at=contract.approved_at,
            ended_by=contract.ended_by,
        )
