"""Every route of every service, walked: a scope, an idempotency key, a strict body, problems for its refusals."""

import importlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI

from deploy.local.config import StackConfig
from deploy.local.services import ServiceSpec, environment_of
from deploy.local.stack_secrets import StackSecrets
from services.coalition.domain.scopes import SCOPES
from shared.clock import BusinessClock
from shared.database import Database
from shared.database.roles import SERVICES
from shared.runtime import ServiceContext, ServiceSettings
from shared.runtime.settings import load_settings
from shared.web import Authenticator, StaticKeySource, create_app, unprotected_routes
from shared.web.authorisation import PUBLIC_PATHS

# The body has a permanent key (receipts), or nothing changes.
WITHOUT_IDEMPOTENCY_KEY = frozenset(
    {
        "/oauth/token",
        "/v1/identifiers:resolve",
        "/v1/receipts",
        "/v1/receipts:batch",
        "/v1/receipts:preview",
    }
)


@dataclass(frozen=True, slots=True)
class Route:
    """One operation as OpenAPI tells of it."""

    method: str
    path: str
    told: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@pytest.fixture(params=SERVICES)
async def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    """A service's application, put together as its process does; it reaches nothing."""
    service: str = request.param
    told = environment_of(
        ServiceSpec(service),
        StackConfig.from_environment(),
        StackSecrets.generated(),
        admin_url="postgresql://admin:x@127.0.0.1:1/tessera",
        bootstrap_servers="127.0.0.1:1",
    )
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    database = Database(told["TESSERA_DATABASE_URL"])
    module = importlib.import_module(f"services.{service}.app")
    settings = load_settings(_settings_class(service))
    authenticator = Authenticator(StaticKeySource([]), issuer=settings.token_issuer)
    wiring = await module.build(
        ServiceContext(
            service=service,
            role="api",
            instance=f"{service}-1",
            settings=settings,
            database=database,
            clock=BusinessClock(datetime.now(UTC)),
            authenticator=authenticator,
            kafka=settings.kafka,
        )
    )
    yield create_app(
        title=service,
        authenticator=authenticator,
        routers=wiring.routers,
        domain_problems=wiring.domain_problems,
    )
    for step in wiring.on_stop:
        await step()
    await database.close()


def _settings_class(service: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"services.{service}.settings")
    (found,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, ServiceSettings) and each.__module__ == module.__name__
    )
    return found


def routes_of(app: FastAPI) -> Iterator[Route]:
    for path, operations in app.openapi()["paths"].items():
        for method, told in operations.items():
            yield Route(method, path, told)


def test_every_route_needs_a_scope_that_is_known(app: FastAPI) -> None:
    assert unprotected_routes(app) == []
    for route in routes_of(app):
        if route.path not in PUBLIC_PATHS:
            scopes = [scope for entry in route.told["security"] for names in entry.values() for scope in names]
            assert scopes, f"{route} needs no scope"
            assert set(scopes) <= SCOPES, f"{route} needs a scope that nobody can have"


def test_every_post_with_an_effect_takes_an_idempotency_key(app: FastAPI) -> None:
    for route in routes_of(app):
        takes_key = any(each["name"] == "Idempotency-Key" for each in route.told.get("parameters", ()))
        assert takes_key is (route.method == "post" and route.path not in WITHOUT_IDEMPOTENCY_KEY), str(route)


def test_every_body_refuses_what_it_does_not_know(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    for route in routes_of(app):
        content = route.told.get("requestBody", {}).get("content", {})
        for reference in _references(content.get("application/json", {}), schemas, set()):
            schema = schemas[reference]
            if schema.get("type") == "object":
                assert schema.get("additionalProperties") is False, f"{route}: {reference} is no Body"


def test_every_refusal_is_told_as_a_problem(app: FastAPI) -> None:
    for route in routes_of(app):
        if route.path in PUBLIC_PATHS:
            continue
        told = route.told["responses"]
        assert {"401", "403"} <= set(told), f"{route} does not say that it may answer 401 and 403"
        for status, answer in told.items():
            if int(status) >= 400:
                assert list(answer.get("content", {})) == ["application/problem+json"], f"{route}: {status}"


def _references(schema: object, schemas: dict[str, Any], seen: set[str]) -> Iterator[str]:
    """Every named schema that this one is made of, at any depth."""
    if isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            yield name
            yield from _references(schemas[name], schemas, seen)
        for value in schema.values():
            yield from _references(value, schemas, seen)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value, schemas, seen)
