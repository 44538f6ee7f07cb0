"""Settings of the services that read what members show at tills."""

from pydantic import Field, SecretStr, field_validator

from shared.identifier_capabilities import Capabilities
from shared.qr_tokens import QrKeys
from shared.runtime.settings import ServiceSettings


class QrSettings(ServiceSettings):
    """The keys of dynamic QR tokens."""

    qr_keys: SecretStr = Field(
        default=SecretStr(""),
        description="What QR tokens are sealed with: <id>:<64 hex digits> (openssl rand -hex 32), separated by commas, "
        "the same for members, accrual and redemption. The first seals, all open; at most 4. Empty: no QR tokens.",
    )

    @field_validator("qr_keys")
    @classmethod
    def _are_qr_keys(cls, value: SecretStr) -> SecretStr:
        QrKeys.parse(value.get_secret_value())
        return value

    @property
    def qr_token_keys(self) -> QrKeys:
        """The keys, ready to use."""
        return QrKeys.parse(self.qr_keys.get_secret_value())


class TillSettings(QrSettings):
    """The same, and what identifiers may do."""

    identifier_capabilities: Capabilities = Field(
        default=Capabilities(),
        description="What identifiers may do by type (card, phone, token) and entry method (keyed, swiped, scanned, "
        "token), the same for accrual and redemption: JSON with a version and rows of type, entry_method, may_earn, "
        "may_see_balance, spend_points_max, spends_with_code_only. What is not named may do everything.",
    )
