"""Settings that every service has. A service's own class adds its fields to these.

Every setting is an environment variable with the prefix ``TESSERA_``. Wrong settings end the process before anything
starts, with a message that names the variable and says what to put there, and never shows what was there.
"""

import re
import zoneinfo
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from sqlalchemy.exc import ArgumentError

from shared.database.tls import InvalidTlsError, engine_arguments
from shared.ids import IdentifierKey, IdentifierKeys
from shared.kafka.security import InvalidSecurityError, KafkaSecurity, Mechanism, Protocol
from shared.kafka.settings import KafkaSettings
from shared.money import is_currency
from shared.point_types import EXPONENT_MAX, OTHER_TYPES_MAX, OtherPointType, PointTypes
from shared.web.external_issuers import EXTERNAL_ISSUERS_MAX, ExternalIssuer, first_clash
from shared.web.rate_limit import Policy

ENV_PREFIX = "TESSERA_"

_UNREADABLE = re.compile(r'field "(\w+)"')
_HEX_KEY = re.compile(r"^[0-9a-fA-F]{64}$")

S = TypeVar("S", bound="ServiceSettings")


class InvalidSettingsError(Exception):
    """One line for each variable that is wrong: its name, what is wrong, what it means."""


class ServiceSettings(BaseSettings):
    """What all services need. Secrets are ``SecretStr``: they show as asterisks wherever settings are printed."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True)

    database_url: SecretStr = Field(
        description="PostgreSQL, as the service's own role: postgresql://tessera_<service>:password@host:5432/tessera; "
        "for TLS with ?sslmode=verify-full&sslrootcert=/path/of/ca.pem"
    )
    database_connections_max: int = Field(
        default=8, ge=2, le=100, description="How many connections one process opens to PostgreSQL at most."
    )
    kafka_bootstrap_servers: str = Field(
        min_length=1, description="Kafka brokers to begin with, as host:port, separated by commas."
    )
    kafka_security_protocol: Protocol = Field(
        default="PLAINTEXT",
        description="How the brokers are spoken to; in production SASL_SSL, or SSL.",
    )
    kafka_sasl_mechanism: Mechanism = Field(
        default="SCRAM-SHA-512", description="How the account is proven, where the protocol has SASL."
    )
    kafka_username: str | None = Field(default=None, description="The account at the brokers, where there is one.")
    kafka_password: SecretStr | None = Field(default=None, description="The account's password.")
    kafka_ca_file: str | None = Field(
        default=None, description="The authority that signed the brokers' certificates (PEM); without it, the system's."
    )
    kafka_certificate_file: str | None = Field(
        default=None, description="Our own certificate (PEM), where the brokers want to see one."
    )
    kafka_key_file: str | None = Field(default=None, description="The key of our own certificate (PEM).")
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,50}$")] = Field(
        default="", description="Stands before every topic and group, so that two programmes can share one broker."
    )
    topic_partitions: int = Field(
        default=12, ge=1, le=1000, description="Partitions of each topic; the same for all services."
    )
    http_host: str = Field(default="127.0.0.1", description="The address to listen on; 0.0.0.0 for all.")
    http_port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="The port to listen on (a worker: health and metrics). 0: any free one.",
    )
    instance: int = Field(
        default=1,
        ge=1,
        le=9999,
        description="This process's number among those of its service and role. No two may share one: with it a "
        "restarted worker takes its partitions over at once.",
    )
    jwks_url: str = Field(
        default="http://127.0.0.1:8002/.well-known/jwks.json",
        pattern=r"^https?://",
        description="Where the coalition service publishes the keys that tokens are checked with.",
    )
    token_issuer: str = Field(
        default="https://tessera.invalid", min_length=1, description="The iss that every token must bear."
    )
    external_issuers: tuple[ExternalIssuer, ...] = Field(
        default=(),
        max_length=EXTERNAL_ISSUERS_MAX,
        description="A JSON list of OIDC issuers that staff may have tokens of: issuer (its https address), audience, "
        "algorithms (of RS256, PS256, ES256, Ed25519), prefix (for the ids of its people), roles_claim (a claim's "
        "name, or a list of names from the outside in), roles (its names to ours) and, for partners' users, "
        "partner_claim.",
    )
    rate_limit_requests: int = Field(
        default=50_000, ge=1, description="How many requests a caller may make in one window, of each process."
    )
    rate_limit_window_seconds: int = Field(default=10, ge=1, le=3_600, description="How long that window is.")
    identifier_key: SecretStr = Field(
        description="What cards, phones and tokens are hashed with: 64 hex digits (openssl rand -hex 32), the same for "
        "all services. It is replaced by the steps of docs/replacing-the-identifier-key.md."
    )
    identifier_key_version: int = Field(
        default=1, ge=1, description="The version of identifier_key; it stands in every hash."
    )
    identifier_key_second: SecretStr | None = Field(
        default=None,
        description="A second key, valid while identifiers are re-keyed: the next one before the switch, the old one "
        "after it; 64 hex digits.",
    )
    identifier_key_second_version: int | None = Field(
        default=None, ge=1, description="The version of identifier_key_second."
    )
    country: str = Field(
        default="US", pattern=r"^[A-Z]{2}$", description="The programme's country (ISO 3166), for phone numbers."
    )
    currency: str = Field(
        default="USD", description="The programme's currency (ISO 4217); receipts in another are refused."
    )
    time_zone: str = Field(
        default="America/New_York", description="The programme's time zone (IANA): where its days begin and end."
    )
    point_type: str = Field(default="points", min_length=1, max_length=64, description="The code of the point type.")
    point_exponent: int = Field(
        default=0, ge=0, le=EXPONENT_MAX, description="How many decimals of the programme's own points are shown."
    )
    other_point_types: tuple[OtherPointType, ...] = Field(
        default=(),
        max_length=OTHER_TYPES_MAX,
        description="Point types beside the programme's own that rules may give: a JSON list of code, use (status: "
        "they count, and are never spent; spend: they are spent like the programme's own), exponent (how many decimals "
        "are shown) and, of those that are spent, minor_per_point (what one pays at a till; 1 by default).",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe log lines to be written."
    )

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("postgresql://", "postgresql+asyncpg://")):
            raise ValueError("it must begin with postgresql://")
        try:
            engine_arguments(value.get_secret_value())
        except InvalidTlsError as error:
            raise ValueError(str(error)) from None
        except (ArgumentError, OSError):  # a port that is none, a file that cannot be read: what it says repeats values
            raise ValueError("it cannot be read, or a file that it names cannot") from None
        return value

    @field_validator("other_point_types")
    @classmethod
    def _names_each_point_type_once(cls, value: tuple[OtherPointType, ...]) -> tuple[OtherPointType, ...]:
        if len({one.code for one in value}) != len(value):
            raise ValueError("it must name each code once")
        return value

    @property
    def point_types(self) -> PointTypes:
        """All types of the programme."""
        return PointTypes(self.point_type, self.point_exponent, self.other_point_types)

    @field_validator("identifier_key", "identifier_key_second")
    @classmethod
    def _is_hex_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _HEX_KEY.match(value.get_secret_value()):
            raise ValueError("it must be 64 hex digits")
        return value

    @field_validator("currency")
    @classmethod
    def _is_known_currency(cls, value: str) -> str:
        if not is_currency(value):
            raise ValueError("it must be an ISO 4217 code, such as USD")
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_known_zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("it must be an IANA time zone, such as Europe/Berlin") from error
        return value

    @model_validator(mode="after")
    def _kafka_can_be_spoken_to(self) -> Self:
        try:
            self._kafka_security().client_arguments()
        except InvalidSecurityError as error:
            raise ValueError(f"{ENV_PREFIX}KAFKA_SECURITY_PROTOCOL and its kin: {error}") from None
        except OSError:
            raise ValueError(f"{ENV_PREFIX}KAFKA_CA_FILE and its kin: a file that they name cannot be read") from None
        return self

    @model_validator(mode="after")
    def _issuers_are_told_apart(self) -> Self:
        if (clash := first_clash(self.external_issuers, self.token_issuer)) is not None:
            raise ValueError(f"{ENV_PREFIX}EXTERNAL_ISSUERS: {clash}")
        return self

    @model_validator(mode="after")
    def _identifier_keys_are_two(self) -> Self:
        if (self.identifier_key_second is None) != (self.identifier_key_second_version is None):
            raise ValueError(
                f"{ENV_PREFIX}IDENTIFIER_KEY_SECOND and {ENV_PREFIX}IDENTIFIER_KEY_SECOND_VERSION: set both, or none"
            )
        try:
            _ = self.hashing_keys
        except ValueError as error:
            raise ValueError(f"{ENV_PREFIX}IDENTIFIER_KEY_SECOND: {error}") from None
        return self

    @property
    def kafka(self) -> KafkaSettings:
        """The cluster, as ``shared.kafka`` wants it."""
        return KafkaSettings(
            bootstrap_servers=self.kafka_bootstrap_servers,
            topic_prefix=self.topic_prefix,
            partitions=self.topic_partitions,
            security=self._kafka_security(),
        )

    def _kafka_security(self) -> KafkaSecurity:
        password = self.kafka_password
        return KafkaSecurity(
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=None if password is None else password.get_secret_value(),
            ca_file=self.kafka_ca_file,
            certificate_file=self.kafka_certificate_file,
            key_file=self.kafka_key_file,
        )

    @property
    def rate_limit(self) -> Policy:
        """How much a caller may ask of this process."""
        return Policy(self.rate_limit_requests, self.rate_limit_window_seconds)

    @property
    def hashing_keys(self) -> IdentifierKeys:
        """The keys that identifiers are hashed with."""
        present = _identifier_key(self.identifier_key_version, self.identifier_key)
        if self.identifier_key_second is None or self.identifier_key_second_version is None:
            return IdentifierKeys(present)
        second = _identifier_key(self.identifier_key_second_version, self.identifier_key_second)
        return IdentifierKeys(present, second)


def _identifier_key(version: int, secret: SecretStr) -> IdentifierKey:
    return IdentifierKey(version, bytes.fromhex(secret.get_secret_value()))


def load_settings(settings: type[S]) -> S:
    """The settings as the environment has them.

    Raises:
        InvalidSettingsError: with a line for every variable that is missing or wrong.
    """
    try:
        return settings()
    except SettingsError as error:  # its message names the field, and no value
        named = _UNREADABLE.search(str(error))
        raise InvalidSettingsError(_told(settings, named[1] if named else "", "it is not JSON")) from None
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise InvalidSettingsError("\n".join(_line(settings, item) for item in found)) from None


def _line(settings: type[ServiceSettings], item: Any) -> str:
    field = str(item["loc"][0]) if item["loc"] else ""
    if not field:  # about several of them: the message names them
        return _message(item) + "."
    wrong = "is not set" if item["type"] == "missing" and not item["loc"][1:] else _place(item) + _message(item)
    return _told(settings, field, wrong)


def _told(settings: type[ServiceSettings], field: str, wrong: str) -> str:
    about = settings.model_fields[field].description if field in settings.model_fields else None
    return f"{ENV_PREFIX}{field.upper()}: {wrong}." + (f" {about}" if about else "")


def _place(item: Any) -> str:
    """Where inside a list of things it is: which of them, and which of its fields. Names that are not ours stay out."""
    inside = item["loc"][1 : 2 if item["type"] == "extra_forbidden" else 3]
    return f"in {'.'.join(str(part) for part in inside)}: " if inside and isinstance(inside[0], int) else ""


def _message(item: Any) -> str:
    return str(item["msg"]).removeprefix("Value error, ")
