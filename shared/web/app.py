"""The application that every service serves: its routers, and all that services have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from shared.web import health
from shared.web.authentication import Authenticator
from shared.web.body_limit import BodyLimit
from shared.web.health import Check
from shared.web.problems import ProblemBody, problems
from shared.web.refusals import DomainProblems, install_refusals
from shared.web.request_context import RequestContext


def create_app(
    *,
    title: str,
    authenticator: Authenticator | None,
    routers: Sequence[APIRouter] = (),
    checks: Sequence[Check] = (),
    domain_problems: DomainProblems | None = None,
    description: str = "",
) -> FastAPI:
    """An application with health, metrics and docs, problems for every error, a request id, a body limit.

    ``authenticator`` may be None only where no router needs a scope (a worker).
    """
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours: masked, and in ``RequestContext``
        redirect_slashes=False,  # a POST that is redirected is a POST that somebody sends twice
    )
    app.state.authenticator = authenticator
    app.state.checks = tuple(checks)
    install_refusals(app, domain_problems or {})
    for router in routers:
        app.include_router(router)
    app.include_router(health.router)  # last: routes are tried in order, and tills come more often than probes
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestContext)  # added last, so outermost: what BodyLimit refuses has an id and is counted
    _describe_problems(app)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Put the problem's schema into OpenAPI, and name 422 as what it is here."""

    def openapi() -> Mapping[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs", {}))
            schemas["Problem"] = problem
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            _refer_to_problem(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign, assignment]  # FastAPI's documented way to extend the document


def _refer_to_problem(document: dict[str, Any]) -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in document.get("paths", {}).values():
        for operation in path.values():
            if operation.get("security"):
                operation["responses"]["429"] = problems(429)[429]
            invalid = operation.get("responses", {}).get("422")
            if invalid is not None:
                invalid["content"] = problem
                invalid["description"] = "A field is not valid."
