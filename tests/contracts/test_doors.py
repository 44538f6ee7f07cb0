"""Deny by default: every route of every service, walked without credentials, with bad ones, with the wrong scope."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from services.coalition.domain.scopes import SCOPES
from shared.database.roles import SERVICES
from shared.web.authorisation import PUBLIC_PATHS
from tests.support.applications import Route, application, routes_of
from tests.support.registries import token
from tests.support.tokens import Issuer

STRANGERS_TOKEN = Issuer(kid="of-nobody").token("partners:read")


@pytest.fixture(scope="module", params=SERVICES)
async def app(request: pytest.FixtureRequest) -> AsyncIterator[FastAPI]:
    """A service's application; it reaches nothing, so whoever gets past the door is answered with 5xx."""
    async with application(request.param) as built:
        yield built


async def answer(app: FastAPI, route: Route, authorization: str | None) -> httpx2.Response:
    """What a caller is told who sends nothing but a credential."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {} if authorization is None else {"Authorization": authorization}
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(route.method.upper(), re.sub(r"\{\w+\}", "x", route.path), headers=headers)


def closed_routes(app: FastAPI) -> list[Route]:
    return [route for route in routes_of(app) if route.path not in PUBLIC_PATHS]


def test_the_walk_leaves_no_route_out(app: FastAPI) -> None:
    told = {(route.method.upper(), route.path) for route in routes_of(app)}
    served = {
        (method, str(route.path))
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if method != "HEAD" and route.path not in PUBLIC_PATHS
    }
    assert served <= told


async def test_nobody_gets_in_without_credentials(app: FastAPI) -> None:
    for route in closed_routes(app):
        refused = await answer(app, route, None)
        assert refused.status_code == 401, str(route)
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="tessera"'


async def test_nobody_gets_in_with_a_bad_credential(app: FastAPI) -> None:
    for credential in ("Bearer x", f"Bearer {STRANGERS_TOKEN}", "Basic YTpi", "Bearer"):
        for route in closed_routes(app):
            assert (await answer(app, route, credential)).status_code == 401, str(route)


async def test_nobody_gets_in_with_every_scope_but_the_one_that_is_needed(app: FastAPI) -> None:
    for route in closed_routes(app):
        (needed,) = route.scopes
        refused = await answer(app, route, f"Bearer {token(*SCOPES - {needed})}")
        assert refused.status_code == 403, str(route)
        assert refused.json()["scope"] == needed
