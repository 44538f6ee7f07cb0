"""Settings of accrual, beside those that every service has."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from services.accrual.programme import Programme
from shared.runtime.till_settings import TillSettings


class AccrualSettings(TillSettings):
    """What accrual needs."""

    parked_window_days: int = Field(
        default=30, ge=1, le=3650, description="How long a receipt waits for its card to be registered, in days."
    )
    purchase_batch_max: int = Field(
        default=500, ge=1, le=5_000, description="How many receipts one transaction awards at most."
    )
    ledger_hold_ms_max: int = Field(
        default=50,
        ge=1,
        le=1_000,
        description="Batches shrink while they keep ledger rows locked longer: 10 beside tills, 50 to catch up.",
    )

    @property
    def programme(self) -> Programme:
        """The programme's settings as the use cases want them."""
        return Programme(
            point_type=self.point_type,
            currency=self.currency,
            zone=ZoneInfo(self.time_zone),
            parked_window=timedelta(days=self.parked_window_days),
        )
