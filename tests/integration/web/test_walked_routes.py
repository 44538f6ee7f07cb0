"""What a process serves is what the walks over routes see: no route is added where they do not look."""

import json
from importlib import import_module
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from shared.database.roles import SERVICES
from shared.kafka import KafkaSettings
from shared.runtime.context import Role
from shared.runtime.http_server import serve
from tests.support.applications import application, settings_class
from tests.support.databases import FreshDatabase
from tests.support.registries import MASTER_KEYS, SIGNING_KEY
from tests.support.running import running

# What a service is told beside what all are: none of it is used here.
TOLD: dict[str, dict[str, Any]] = {
    "coalition": {"signing_key": json.dumps(SIGNING_KEY)},
    "members": {"master_keys": MASTER_KEYS, "client_secret": "s" * 32},
    "notifications": {"client_secret": "s" * 32},
    "redemption": {"client_secret": "s" * 32},
}


def served(app: FastAPI) -> set[tuple[str, str]]:
    return {(method, str(route.path)) for route in iter_route_contexts(app.routes) for method in route.methods or ()}


async def test_every_route_of_every_process_is_walked(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: dict[str, set[tuple[str, str]]] = {}

    async def serve_and_tell(app: FastAPI, *rest: Any) -> None:
        started["last"] = served(app)
        await serve(app, *rest)

    monkeypatch.setattr("shared.runtime.process.serve", serve_and_tell)
    for service in SERVICES:
        main = import_module(f"services.{service}.__main__")
        roles: tuple[Role, ...] = ("api", "worker")
        found = set()
        for role in roles:
            async with running(
                service,
                settings_class(service),
                main.build,
                fresh_database,
                role,
                kafka_settings,
                **TOLD.get(service, {}),
            ):
                found |= started.pop("last")
        async with application(service) as walked:
            assert found == served(walked), service
            assert ("PUT", "/v1/retention/{data_class}") in found
