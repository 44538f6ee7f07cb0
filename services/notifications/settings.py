"""Settings of notifications."""

from email.headerregistry import Address
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from services.notifications.gateways.mail_server import StartTls
from shared.runtime.code_settings import CodeSettings

HttpUrl = Annotated[str, Field(pattern=r"^https?://")]


class NotificationsSettings(CodeSettings):
    """What notifications needs beyond what every service needs."""

    members_url: HttpUrl = Field(
        default="http://127.0.0.1:8001", description="The members service, where addresses are read from."
    )
    token_url: HttpUrl = Field(
        default="http://127.0.0.1:8002/oauth/token", description="Where the coalition service gives out tokens."
    )
    client_id: str = Field(
        default="notifications", min_length=1, description="The API client that has the scope members:contact."
    )
    client_secret: SecretStr = Field(description="That client's secret.")
    contact_requests_max: int = Field(
        default=16, ge=1, le=200, description="How many addresses are asked for at a time at most."
    )
    smtp_host: str = Field(default="127.0.0.1", min_length=1, description="The mail server.")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="Its port: 25, or 587 for submission.")
    smtp_from: str = Field(
        default="programme@tessera.invalid",
        description="The address that mail comes from; Message-IDs end in its domain.",
    )
    smtp_from_name: str = Field(default="Tessera", description="The name beside it.")
    smtp_start_tls: StartTls = Field(
        default="offered", description="Whether to encrypt: never, offered (where the server can), or required."
    )
    smtp_username: str | None = Field(default=None, description="Sign in to the mail server with this name.")
    smtp_password: SecretStr | None = Field(default=None, description="And this password.")
    smtp_connections_max: int = Field(
        default=4, ge=1, le=50, description="How many connections to the mail server are kept at most."
    )
    digest_delay_seconds: float = Field(
        default=86_400.0,
        ge=0,
        le=31 * 86_400.0,
        description="How long a digest takes in points after the first ones, before it is sent.",
    )

    news_delay_seconds: float = Field(
        default=3_600.0,
        ge=0,
        le=31 * 86_400.0,
        description="How long news (tiers, what expires, what is owed) are gathered before they are sent.",
    )

    @field_validator("smtp_from")
    @classmethod
    def _is_address(cls, value: str) -> str:
        try:
            address = Address(addr_spec=value)
        except (ValueError, IndexError) as error:
            raise ValueError("it must be an e-mail address") from error
        if not address.domain or not value.isascii():
            raise ValueError("it must be an e-mail address in ASCII")
        return value
