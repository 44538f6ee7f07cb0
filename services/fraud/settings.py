"""Settings of fraud, beside those that every service has."""

from zoneinfo import ZoneInfo

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class FraudSettings(ServiceSettings):
    """What fraud needs."""

    purchase_batch_max: int = Field(
        default=500, ge=1, le=5_000, description="How many receipts one transaction scores at most."
    )

    @property
    def zone(self) -> ZoneInfo:
        """Where the programme's days begin and end."""
        return ZoneInfo(self.time_zone)
