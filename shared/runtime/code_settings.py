"""Settings of the services that share one-time codes."""

from pydantic import Field, SecretStr, field_validator

from shared.one_time_codes import CodeKeys
from shared.runtime.settings import ServiceSettings


class CodeSettings(ServiceSettings):
    """The keys that one-time codes follow from."""

    code_keys: SecretStr = Field(
        default=SecretStr(""),
        description="What one-time codes follow from: <id>:<64 hex digits> (openssl rand -hex 32), separated by "
        "commas, the same for redemption and notifications. The first makes codes, all check them; at most 4. "
        "Empty: no codes.",
    )

    @field_validator("code_keys")
    @classmethod
    def _are_code_keys(cls, value: SecretStr) -> SecretStr:
        CodeKeys.parse(value.get_secret_value())
        return value

    @property
    def one_time_code_keys(self) -> CodeKeys:
        """The keys, ready to use."""
        return CodeKeys.parse(self.code_keys.get_secret_value())
