"""What members is told by its environment, beside what every service is."""

from datetime import timedelta

from pydantic import Field, SecretStr, field_validator

from services.members.domain.identities import Identities
from services.members.sealing.master_keys import MasterKeys
from shared.runtime import ServiceSettings


class MembersSettings(ServiceSettings):
    """The keys that keep persons unreadable outside this service, and how long things last."""

    master_keys: SecretStr = Field(
        description="What members' own keys are wrapped with: <id>:<64 hex digits> (openssl rand -hex 32), separated "
        "by commas. The first wraps, all unwrap; at most 4. Who loses one loses every person under it."
    )

    consent_confirmation_hours: int = Field(
        default=72, ge=1, le=8_760, description="How long an e-mail consent waits for its confirmation, in hours."
    )

    @field_validator("master_keys")
    @classmethod
    def _are_master_keys(cls, value: SecretStr) -> SecretStr:
        MasterKeys.parse(value.get_secret_value())
        return value

    @property
    def identities(self) -> Identities:
        """How values become hashes in this programme."""
        return Identities(self.hashing_key, self.country)

    @property
    def keys(self) -> MasterKeys:
        """The master keys."""
        return MasterKeys.parse(self.master_keys.get_secret_value())

    @property
    def consent_confirmed_within(self) -> timedelta:
        """How long a consent waits for its confirmation."""
        return timedelta(hours=self.consent_confirmation_hours)
