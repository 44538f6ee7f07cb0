"""Every route of every service, walked: a scope, an idempotency key, a strict body, problems for its refusals."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from services.coalition.domain.scopes import SCOPES
from shared.database.roles import SERVICES
from shared.web import unprotected_routes
from shared.web.authorisation import PUBLIC_PATHS
from tests.support.applications import application, routes_of

# The body has a permanent key (receipts, decisions), nothing changes, or each call counts (a PIN that is tried).
WITHOUT_IDEMPOTENCY_KEY = frozenset(
    {
        "/oauth/token",
        "/v1/balances:lookup",
        "/v1/baskets:preview",
        "/v1/decisions",
        "/v1/members/{member_id}/pin:verify",
        "/v1/checkouts",
        "/v1/identifiers:resolve",
        "/v1/privileges:check",
        "/v1/quotes",
        "/v1/vouchers:check",
        "/v1/receipts",
        "/v1/receipts:batch",
        "/v1/receipts:preview",
        "/v1/returns:preview",
        "/v1/returns:quote",
        "/v1/member-events:preview",
    }
)


@pytest.fixture(scope="module", params=SERVICES)
async def app(request: pytest.FixtureRequest) -> AsyncIterator[FastAPI]:
    """A service's application; it reaches nothing."""
    async with application(request.param) as built:
        yield built


def test_every_route_needs_a_scope_that_is_known(app: FastAPI) -> None:
    assert unprotected_routes(app) == []
    for route in routes_of(app):
        if route.path not in PUBLIC_PATHS:
            assert route.scopes, f"{route} needs no scope"
            assert set(route.scopes) <= SCOPES, f"{route} needs a scope that nobody can have"


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
