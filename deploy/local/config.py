"""What a stack is made of: folders, ports, and servers that are there already."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.kafka_jars import default_cache_dir
from deploy.local.ports import PORT_OFFSET_VARIABLE, Ports

STATE_DIR_VARIABLE = "TESSERA_STATE_DIR"
DATABASE_URL_VARIABLE = "TESSERA_DATABASE_URL"
KAFKA_VARIABLE = "TESSERA_KAFKA_BOOTSTRAP_SERVERS"

# The owner of the database in a PostgreSQL that the stack starts.
ADMIN = "tessera_admin"
DATABASE = "tessera"

# The services are told everything else that begins so; where the stack decides, it overrules.
SETTINGS_PREFIX = "TESSERA_"
_NOT_FOR_SERVICES = ("TESSERA_PASSWORD_", "TESSERA_POSTGRES_", DATABASE_URL_VARIABLE)


@dataclass(frozen=True, slots=True)
class StackConfig:
    """One stack. Two of them with different folders and ports run side by side."""

    state_dir: Path
    ports: Ports
    cache_dir: Path = field(default_factory=default_cache_dir)
    # The administrator's URL of a PostgreSQL that is there already; None starts one.
    database_url: str | None = None
    # A Kafka that is there already; None starts one.
    kafka_bootstrap_servers: str | None = None
    # Passed to every service as they are.
    service_environment: Mapping[str, str] = field(default_factory=dict)
    postgres_settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "StackConfig":
        """The stack that ``make up`` starts: as the variables say, else below ``.tessera/`` on the known ports."""
        offset = environment.get(PORT_OFFSET_VARIABLE, "0")
        if not offset.isdecimal() or int(offset) > 40_000:
            raise StackError(f"{PORT_OFFSET_VARIABLE} must be a whole number from 0 to 40000, not {offset!r}.")
        return cls(
            state_dir=state_dir_of(environment),
            ports=Ports.with_offset(int(offset)),
            database_url=environment.get(DATABASE_URL_VARIABLE) or None,
            kafka_bootstrap_servers=environment.get(KAFKA_VARIABLE) or None,
            service_environment={
                name: value
                for name, value in environment.items()
                if name.startswith(SETTINGS_PREFIX) and not name.startswith(_NOT_FOR_SERVICES)
            },
        )

    @property
    def secrets_file(self) -> Path:
        return self.state_dir / "secrets.json"

    @property
    def log_dir(self) -> Path:
        return self.state_dir / "logs"

    @property
    def mail_dir(self) -> Path:
        return self.state_dir / "mail"


def state_dir_of(environment: Mapping[str, str] = os.environ) -> Path:
    """``$TESSERA_STATE_DIR``, else ``.tessera`` in the current folder."""
    return Path(environment.get(STATE_DIR_VARIABLE) or ".tessera").expanduser().resolve()
