"""Which routes need which scope. A route says it in its signature; a test walks all routes and finds who forgot."""

from typing import Any

from fastapi import FastAPI, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.routing import iter_route_contexts
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

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


class _Caller(SecurityBase):
    """The dependency behind every scope. It is what documents call a security scheme, and checks the credential itself:
    a scheme with a dependency beside it is solved twice for each request.
    """

    scheme_name = "bearer"
    model = HTTPBearer(
        description="A token (15 minutes at most) of POST /oauth/token or of an issuer that the settings name, or a "
        "till's key (tk_…)."
    )

    async def __call__(self, request: Request, security_scopes: SecurityScopes) -> Principal:
        authenticator: Authenticator = request.app.state.authenticator
        principal = await authenticator.authenticate(_bearer_of(request))
        _count(request, authenticator, principal)
        for scope in security_scopes.scopes:
            if scope not in principal.scopes:
                told = f'Bearer realm="tessera", error="insufficient_scope", scope="{scope}"'
                raise Problem(
                    403,
                    "missing-scope",
                    f"This needs the scope {scope}: ask for a token with it, or have it granted to the client.",
                    headers={"WWW-Authenticate": told},
                    extensions={"scope": scope},
                )
        return principal


_CALLER = _Caller()


def _bearer_of(request: Request) -> str | None:
    """The credential; None where there is none, or one of another scheme."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return credential.strip() or None if scheme.lower() == "bearer" else None


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
    return Security(_CALLER, scopes=[scope])


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
    has_scope = dependant.call is _CALLER and bool(dependant.own_oauth_scopes or dependant.parent_oauth_scopes)
    return has_scope or any(_needs_scope(below) for below in dependant.dependencies)
