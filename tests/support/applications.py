"""Each service's application, put together as its process does, on a database that may be nobody's."""

import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI

from deploy.local.config import StackConfig
from deploy.local.services import ServiceSpec, environment_of
from deploy.local.stack_secrets import StackSecrets
from shared.clock import BusinessClock
from shared.database import Database
from shared.kafka import KafkaSettings
from shared.runtime import ServiceContext, ServiceSettings
from shared.runtime.http_app import service_app
from shared.runtime.retention import SETTLED_DEAD_LETTERS, Retention
from shared.runtime.settings import load_settings
from shared.web import Authenticator, StaticKeySource
from tests.support.registries import SIGNER

NOWHERE = "postgresql://admin:x@127.0.0.1:1/tessera"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation as OpenAPI tells of it."""

    method: str
    path: str
    told: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def scopes(self) -> list[str]:
        """The scopes that it needs."""
        return [scope for entry in self.told.get("security", ()) for names in entry.values() for scope in names]


@asynccontextmanager
async def application(
    service: str, database_url: str | None = None, kafka: KafkaSettings | None = None, **environment: str
) -> AsyncIterator[FastAPI]:
    """A service's application, which takes tokens of the tests' signer. Without a database it reaches nothing.

    ``environment`` are more of its variables.
    """
    told = environment_of(
        ServiceSpec(service),
        StackConfig.from_environment(),
        StackSecrets.generated(),
        admin_url=NOWHERE,
        bootstrap_servers="127.0.0.1:1",
    )
    told |= environment
    if database_url is not None:
        told["TESSERA_DATABASE_URL"] = database_url
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        settings = load_settings(settings_class(service))
    database = Database(settings.database_url.get_secret_value())
    authenticator = Authenticator(StaticKeySource(SIGNER.public_jwks()), issuer=settings.token_issuer)
    await authenticator.refresh()
    context = ServiceContext(
        service=service,
        role="api",
        instance=f"{service}-1",
        settings=settings,
        database=database,
        clock=BusinessClock(datetime.now(UTC)),
        authenticator=authenticator,
        kafka=kafka or settings.kafka,
    )
    wiring = await importlib.import_module(f"services.{service}.app").build(context)
    if database_url is not None:
        retention = Retention(database, (*wiring.retention, SETTLED_DEAD_LETTERS))
        for step in (retention.declare, *wiring.on_start):
            await step()
    yield service_app(context, wiring)
    for step in wiring.on_stop:
        await step()
    await database.close()


def settings_class(service: str) -> type[ServiceSettings]:
    """The class of a service's settings."""
    module = importlib.import_module(f"services.{service}.settings")
    (found,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, ServiceSettings) and each.__module__ == module.__name__
    )
    return found


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Every operation of an application."""
    for path, operations in app.openapi()["paths"].items():
        for method, told in operations.items():
            yield Route(method, path, told)
