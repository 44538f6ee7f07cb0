"""Which services a stack runs, and what each is told by its environment."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

from deploy.local.clients import bootstrap_clients
from deploy.local.config import ADMIN, DATABASE, StackConfig
from deploy.local.ports import HOST
from deploy.local.stack_secrets import StackSecrets
from shared.database.roles import reader_name, role_name

if TYPE_CHECKING:
    from shared.kafka.settings import KafkaSettings

ROOT = Path(__file__).resolve().parents[2]
# What a child inherits from us; anything of Tessera's is said by the stack alone.
_INHERITED_PREFIXES = ("LC_", "PYTHON", "COVERAGE")
_INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE")

ServiceRole: TypeAlias = Literal["api", "worker", "both"]


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One process of a service. ``instance`` tells several of one service and role apart, from 1."""

    name: str
    role: ServiceRole = "both"
    instance: int = 1

    @property
    def label(self) -> str:
        """What people and log files call it."""
        role = "" if self.role == "both" else f"-{self.role}"
        return f"{self.name}{role}" + (f"-{self.instance}" if self.instance > 1 else "")

    def port(self, config: StackConfig) -> int:
        """Where it serves HTTP: its API, or a worker's health and metrics."""
        return config.ports.service(self.name, is_worker=self.role == "worker", instance=self.instance)

    def command(self) -> list[str]:
        """The command line of its process."""
        return [sys.executable, "-m", f"services.{self.name}", "--role", self.role]


# api and worker apart where decoding a thousand receipts would hold up requests; the others in one process.
FLEET = (
    ServiceSpec("coalition"),
    ServiceSpec("members"),
    ServiceSpec("accrual", "api"),
    ServiceSpec("accrual", "worker"),
    ServiceSpec("redemption", "api"),
    ServiceSpec("redemption", "worker"),
    ServiceSpec("fraud", "api"),
    ServiceSpec("fraud", "worker"),
    ServiceSpec("notifications"),
)


def url_of(config: StackConfig, service: str) -> str:
    """The base URL of a service's API."""
    return f"http://{HOST}:{config.ports.service(service, is_worker=False)}"


def database_url_of(admin_url: str, secrets: StackSecrets, role: str) -> str:
    """The database's URL as one of the platform's roles."""
    parts = urlsplit(admin_url)
    location = parts.netloc.rpartition("@")[2]
    return parts._replace(scheme="postgresql", netloc=f"{role}:{secrets.role_passwords[role]}@{location}").geturl()


def kafka_settings_of(config: StackConfig, bootstrap_servers: str) -> "KafkaSettings":
    """Kafka as the services of this stack are told."""
    from shared.kafka.security import KafkaSecurity
    from shared.kafka.settings import KafkaSettings  # aiokafka takes its time, and most commands do without

    environment = config.service_environment
    defaults = KafkaSettings(bootstrap_servers)
    return KafkaSettings(
        bootstrap_servers=bootstrap_servers,
        topic_prefix=environment.get("TESSERA_TOPIC_PREFIX", defaults.topic_prefix),
        partitions=int(environment.get("TESSERA_TOPIC_PARTITIONS", defaults.partitions)),
        security=KafkaSecurity.of_environment(environment),
    )


def local_admin_url(config: StackConfig, secrets: StackSecrets) -> str:
    """The administrator's URL of the PostgreSQL that this stack starts, whether or not it runs now."""
    return f"postgresql://{ADMIN}:{secrets.admin_password}@{HOST}:{config.ports.postgres}/{DATABASE}"


def environment_of(
    spec: ServiceSpec, config: StackConfig, secrets: StackSecrets, *, admin_url: str, bootstrap_servers: str
) -> dict[str, str]:
    """Everything that a service's process is told."""
    environment = inherited() | dict(config.service_environment)
    environment |= {
        "PYTHONUNBUFFERED": "1",
        "TESSERA_DATABASE_URL": database_url_of(admin_url, secrets, role_name(spec.name)),
        "TESSERA_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "TESSERA_HTTP_HOST": HOST,
        "TESSERA_HTTP_PORT": str(spec.port(config)),
        "TESSERA_INSTANCE": str(spec.instance),
        "TESSERA_JWKS_URL": f"{url_of(config, 'coalition')}/.well-known/jwks.json",
        "TESSERA_IDENTIFIER_KEY": secrets.identifier_key,
    }
    if spec.name == "accrual":
        environment["TESSERA_READER_DATABASE_URL"] = database_url_of(admin_url, secrets, reader_name(spec.name))
    return environment | _own_environment(spec.name, config, secrets)


def _own_environment(service: str, config: StackConfig, secrets: StackSecrets) -> dict[str, str]:
    match service:
        case "coalition":
            return {
                "TESSERA_SIGNING_KEY": secrets.signing_key,
                "TESSERA_BOOTSTRAP_CLIENTS": bootstrap_clients(secrets.client_secrets),
            }
        case "members":
            return {
                "TESSERA_MASTER_KEYS": secrets.master_keys,
                "TESSERA_QR_KEYS": secrets.qr_keys,
                "TESSERA_ACCRUAL_URL": url_of(config, "accrual"),
                "TESSERA_REDEMPTION_URL": url_of(config, "redemption"),
                "TESSERA_FRAUD_URL": url_of(config, "fraud"),
                "TESSERA_NOTIFICATIONS_URL": url_of(config, "notifications"),
                "TESSERA_TOKEN_URL": f"{url_of(config, 'coalition')}/oauth/token",
                "TESSERA_CLIENT_ID": "members",
                "TESSERA_CLIENT_SECRET": secrets.client_secrets["members"],
            }
        case "accrual":
            return {"TESSERA_QR_KEYS": secrets.qr_keys, "TESSERA_CONTENT_KEYS": secrets.content_keys}
        case "redemption":
            return {
                "TESSERA_QR_KEYS": secrets.qr_keys,
                "TESSERA_VOUCHER_KEYS": secrets.voucher_keys,
                "TESSERA_ACCRUAL_URL": url_of(config, "accrual"),
                "TESSERA_MEMBERS_URL": url_of(config, "members"),
                "TESSERA_CODE_KEYS": secrets.code_keys,
                "TESSERA_FRAUD_URL": url_of(config, "fraud"),
                "TESSERA_TOKEN_URL": f"{url_of(config, 'coalition')}/oauth/token",
                "TESSERA_CLIENT_ID": "redemption",
                "TESSERA_CLIENT_SECRET": secrets.client_secrets["redemption"],
            }
        case "notifications":
            return {
                "TESSERA_MEMBERS_URL": url_of(config, "members"),
                "TESSERA_TOKEN_URL": f"{url_of(config, 'coalition')}/oauth/token",
                "TESSERA_CODE_KEYS": secrets.code_keys,
                "TESSERA_CLIENT_ID": "notifications",
                "TESSERA_CLIENT_SECRET": secrets.client_secrets["notifications"],
                "TESSERA_SMTP_HOST": HOST,
                "TESSERA_SMTP_PORT": str(config.ports.smtp),
            }
        case _:
            return {}


def inherited() -> dict[str, str]:
    """What every child of the stack gets from our own environment."""
    return {
        name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
    }
