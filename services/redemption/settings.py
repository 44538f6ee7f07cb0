"""Settings of redemption, beside those that every service has."""

from pydantic import Field

from services.redemption.domain.tender import Pricing
from services.redemption.programme import Programme
from shared.runtime.settings import ServiceSettings


class RedemptionSettings(ServiceSettings):
    """What redemption needs."""

    minor_per_point: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="What one point pays at a till, in minor units of the programme's currency (1: a cent).",
    )
    tender_batch_max: int = Field(
        default=200,
        ge=1,
        le=2_000,
        description="How many receipts with points tenders one transaction settles at most.",
    )
    ledger_hold_ms_max: int = Field(
        default=10,
        ge=1,
        le=1_000,
        description="Batches shrink while they keep ledger rows locked longer: 10 beside tills, 50 to catch up.",
    )

    @property
    def programme(self) -> Programme:
        """The programme's settings as the use cases want them."""
        return Programme(
            point_type=self.point_type,
            pricing=Pricing(self.currency, self.minor_per_point),
            country=self.country,
            identifier_key=self.hashing_key,
        )
