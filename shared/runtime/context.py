"""What a service is given when it is put together."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from shared.clock import BusinessClock
from shared.database import Database
from shared.kafka.settings import KafkaSettings
from shared.runtime.settings import ServiceSettings
from shared.web.authentication import Authenticator

Role: TypeAlias = Literal["api", "worker", "both"]

S_co = TypeVar("S_co", bound=ServiceSettings, covariant=True)


@dataclass(frozen=True, slots=True)
class ServiceContext(Generic[S_co]):
    """One process of a service. ``instance`` is ``<service>-<number>``, the same after a restart."""

    service: str
    role: Role
    instance: str
    settings: S_co
    database: Database
    clock: BusinessClock
    authenticator: Authenticator
    kafka: KafkaSettings

    @property
    def serves_http(self) -> bool:
        """Whether this process answers the service's routes."""
        return self.role in ("api", "both")

    @property
    def consumes(self) -> bool:
        """Whether this process reads topics, relays the outbox and does periodic work."""
        return self.role in ("worker", "both")
