"""The application of a service in one role: its own routes, and those that every service has."""

from typing import Any

from fastapi import FastAPI

from shared.runtime.context import ServiceContext
from shared.runtime.retention_routes import retention_router
from shared.runtime.upkeep import standard_checks
from shared.runtime.wiring import Wiring
from shared.web.app import create_app


def service_app(context: ServiceContext[Any], wiring: Wiring) -> FastAPI:
    """What a process serves. A worker answers nothing but health and metrics."""
    return create_app(
        title=f"Tessera {context.service}",
        authenticator=context.authenticator,
        routers=(*wiring.routers, retention_router(context.database)) if context.serves_http else (),
        checks=(*standard_checks(context), *wiring.checks),
        domain_problems=wiring.domain_problems,
    )
