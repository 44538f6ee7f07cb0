"""How we speak to the broker: in the clear, under TLS, with a name and a password. The same for every client."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

Protocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

ENVIRONMENT_PREFIX = "TESSERA_KAFKA_"


class InvalidSecurityError(ValueError):
    """The settings contradict each other; the message names them and repeats no value."""


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """Protocol, account and files. Certificates are always verified, with the broker's name, where there is TLS.

    ``ca_file`` is the authority that signed the broker's certificate; without it, those of the system. With
    ``certificate_file`` and ``key_file`` the broker is shown who we are (mutual TLS).
    """

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    def __post_init__(self) -> None:
        if self.protocol not in get_args(Protocol) or self.mechanism not in get_args(Mechanism):
            raise InvalidSecurityError("Kafka's security protocol or SASL mechanism is not known")
        if self.protocol.startswith("SASL_") and not (self.username and self.password):
            raise InvalidSecurityError("with SASL, Kafka's user name and password must both be set")
        if self.key_file is not None and self.certificate_file is None:
            raise InvalidSecurityError("a key file for Kafka needs its certificate file")

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "KafkaSecurity":
        """As the variables ``TESSERA_KAFKA_…`` say, for commands that are no service."""

        def told(name: str) -> Any:
            return environment.get(ENVIRONMENT_PREFIX + name) or None

        return cls(
            protocol=told("SECURITY_PROTOCOL") or "PLAINTEXT",
            mechanism=told("SASL_MECHANISM") or "SCRAM-SHA-512",
            username=told("USERNAME"),
            password=told("PASSWORD"),
            ca_file=told("CA_FILE"),
            certificate_file=told("CERTIFICATE_FILE"),
            key_file=told("KEY_FILE"),
        )

    def client_arguments(self) -> dict[str, Any]:
        """What every client of aiokafka takes: consumer, producer and administrator. Reads the files."""
        arguments: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol in ("SSL", "SASL_SSL"):
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file)
            arguments["ssl_context"] = context
        if self.protocol.startswith("SASL_"):
            arguments |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return arguments
