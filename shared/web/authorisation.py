"""Which routes need which scope. A route says it in its signature; a test walks all routes and finds who forgot."""

from typing import Annotated, Any

from fastapi import FastAPI, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from shared.web.authentication import Authenticator
from shared.web.principal import Principal
from shared.web.problems import Problem
from shared.web.request_context import RATE_LIMIT_SCOPE

PUBLIC_PATHS = frozenset(
    {
        "/health/live",
        "/health/ready",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/oauth/token",
        "/.well-known/jwks.json",
    }
)

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="A token (15 minutes at most) of POST /oauth/token or of an issuer that the settings name, or a till's "
    "key (tk_…).",
)


async def _authorise(
    request: Request,
    security_scopes: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Principal:
    authenticator: Authenticator = request.app.state.authenticator
    principal = await authenticator.authenticate(credentials.credentials if credentials is not None else None)
    _count(request, authenticator, principal)
    for scope in security_scopes.scopes:
        if scope not in principal.scopes:
            raise Problem(
                403,
                "missing-scope",
                f"This needs the scope {scope}: ask for a token with it, or have it granted to the client.",
                headers={"WWW-Authenticate": f'Bearer realm="tessera", error="insufficient_scope", scope="{scope}"'},
                extensions={"scope": scope},
            )
    return principal


def _count(request: Request, authenticator: Authenticator, principal: Principal) -> None:
    """Count the request of a caller who is known, whatever becomes of it; ``RequestContext`` adds the headers."""
    limiter, known = authenticator.limiter, authenticator.clients.find(principal.client_id)
    if limiter is None:
        return
    own = None if known is None else known.rate_limit
    allowance = limiter.take(principal.client_id, own)
    request.scope[RATE_LIMIT_SCOPE] = limiter.headers(allowance, own)
    if not allowance.is_allowed:
        raise Problem(
            429,
            "too-many-requests",
            f"This caller asks more than its limit allows: try again after {allowance.retry_after_seconds} s.",
            title="Too many requests",
        )


def requires(scope: str) -> Any:
    """A dependency: the caller, who has this scope. ``principal: Annotated[Principal, requires("receipts:write")]``.

    Any credential problem answers 401, a missing scope 403 and names it.
    """
    return Security(_authorise, scopes=[scope])


def unprotected_routes(app: FastAPI) -> list[str]:
    """Every route, as "METHOD /path", that neither needs a scope nor is meant to be public."""
    found: list[str] = []
    for route in iter_route_contexts(app.routes):
        if route.path in PUBLIC_PATHS:
            continue
        dependant = getattr(route, "dependant", None)
        if not isinstance(dependant, Dependant) or not _needs_scope(dependant):
            found.extend(f"{method} {route.path}" for method in sorted(route.methods or {"ANY"}))
    return found


def _needs_scope(dependant: Dependant) -> bool:
    has_scope = dependant.call is _authorise and bool(dependant.own_oauth_scopes or dependant.parent_oauth_scopes)
    return has_scope or any(_needs_scope(below) for below in dependant.dependencies)
