"""What coalition tells of a partner's contracts and exposure, as others read it."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid4

from shared.events.contracts import ContractData, ContractPublished, ExposureChanged, ExposureData, RateData

TOLD_AT = datetime(2026, 1, 1, tzinfo=UTC)
AFTER_ALL = datetime(2100, 1, 1, tzinfo=UTC)  # later than any receipt comes
CONTRACT = UUID(int=0xC1)


def contract(
    begins_at: datetime,
    ends_at: datetime | None = None,
    *,
    version: int = 3,
    partner_id: str = "grocer",
    contract_id: UUID = CONTRACT,
    minimum_points: int = 1,
    step_points: int = 1,
) -> ContractPublished:
    """An approved contract."""
    rate = RateData(
        point_type="points",
        issue_price="0.010000",
        redemption_price="0.008500",
        vat_percent="21.00",
        settle_on="issue",
        minimum_points=minimum_points,
        step_points=step_points,
    )
    data = ContractData(
        contract_id=contract_id,
        version=version,
        partner_id=partner_id,
        number=1,
        effective_from=begins_at,
        effective_until=ends_at,
        currency="USD",
        rates=(rate,),
        funding="prepaid",
        amount_minor=10_000,
        when_exhausted="refuse",
    )
    return ContractPublished(id=uuid4(), source="coalition", subject=str(contract_id), time=TOLD_AT, data=data)


def exposure(
    standing: Literal["open", "low", "reserve", "exhausted"],
    version: int,
    partner_id: str = "grocer",
    told_at: datetime = AFTER_ALL,
) -> ExposureChanged:
    """Where a partner stands at ``told_at``."""
    data = ExposureData(
        partner_id=partner_id,
        version=version,
        contract_id=CONTRACT,
        standing=standing,
        currency="USD",
        payable_minor=0,
        receivable_minor=0,
        paid_minor=0,
        left_minor=0,
        points=(),
    )
    return ExposureChanged(id=uuid4(), source="coalition", subject=partner_id, time=told_at, data=data)
