"""Every way in which a request can fail, as a problem: one place, so that no service has its own."""

from collections.abc import Mapping
from typing import TypeAlias

import structlog
from asyncpg import InterfaceError, InternalClientError, PostgresError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from shared.database.errors import is_connection_lost, is_retryable, postgres_error_of
from shared.passing import PassingError
from shared.web.body_limit import too_large
from shared.web.metrics import INVALID_FIELDS
from shared.web.pointers import pointer_of
from shared.web.problems import FieldError, Problem, problem_response
from shared.web.request_context import current_request_id

ERRORS_MAX = 20
RETRY_AFTER_SECONDS = 1
UNAVAILABLE = "unavailable"

# An error of the domain, as (status, slug, title); its message becomes the detail.
DomainProblems: TypeAlias = Mapping[type[Exception], tuple[int, str, str]]

# Too many connections, shutdowns; statements, transactions and locks that took too long: not the request's fault.
_UNAVAILABLE_SQLSTATES = ("53", "57", "25P04", "55P03")
_HANDLED: tuple[type[Exception], ...] = (
    Problem,
    RequestValidationError,
    HTTPException,
    DBAPIError,
    PoolTimeoutError,
    PostgresError,
    InterfaceError,
    InternalClientError,
    OSError,
)

log = structlog.get_logger(__name__)


def install_refusals(app: FastAPI, domain_problems: DomainProblems) -> None:
    """Answer every error below ``app`` with a problem."""
    app.state.domain_problems = dict(domain_problems)

    async def answer(_: Request, error: Exception) -> Response:
        problem = as_problem(error, app.state.domain_problems)
        if problem is None:
            raise error  # a fault: RequestContext logs it and answers 500
        if problem.slug == UNAVAILABLE:
            log.warning("request found something away", exc_info=error)
        return problem_response(problem, current_request_id())

    for kind in (*_HANDLED, *domain_problems):
        app.add_exception_handler(kind, answer)


def as_problem(error: Exception, domain_problems: DomainProblems) -> Problem | None:
    """The problem that tells of this error; None where it is nobody's business but ours (a 500)."""
    if isinstance(error, Problem):
        return error
    for kind in type(error).__mro__:
        if kind in domain_problems:
            status, slug, title = domain_problems[kind]
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(error, PassingError) else {}
            return Problem(status, slug, str(error) or title, title=title, headers=headers)
    if isinstance(error, RequestValidationError):
        return _invalid_request(error)
    if isinstance(error, HTTPException):
        return _http_problem(error)
    return _unavailable() if _is_unavailable(error) else None


def _is_unavailable(error: Exception) -> bool:
    if isinstance(error, OSError):  # a socket's failure or a deadline, not a file's
        return not isinstance(error, FileNotFoundError | FileExistsError | PermissionError | IsADirectoryError)
    if isinstance(error, PoolTimeoutError) or is_retryable(error) or is_connection_lost(error):
        return True
    postgres_error = postgres_error_of(error)
    return postgres_error is not None and str(postgres_error.sqlstate).startswith(_UNAVAILABLE_SQLSTATES)


def _unavailable() -> Problem:
    return Problem(
        503,
        UNAVAILABLE,
        f"Something this service needs is away or overloaded: try again after {RETRY_AFTER_SECONDS} s, with the same "
        "Idempotency-Key if the request has one.",
        title="Unavailable",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _http_problem(error: HTTPException) -> Problem:
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return Problem(404, "no-such-route", "There is no such route: see /docs for those there are.")
        case 405:
            allowed = headers.get("Allow", "other methods")
            return Problem(
                405, "method-not-allowed", f"This route does not know the method: it knows {allowed}.", headers=headers
            )
        case 413:
            return too_large()
        case 400:
            return _malformed("the body could not be read as JSON in UTF-8")
        case status:
            return Problem(status, f"http-{status}", str(error.detail), headers=headers)


def _malformed(what: str) -> Problem:
    return Problem(400, "malformed-json", f"Malformed JSON: {what}. Nothing was done.", title="Malformed JSON")


def _invalid_request(error: RequestValidationError) -> Problem:
    found = error.errors()
    for item in found:
        if item["type"] == "json_invalid":
            return _malformed(f"{item['ctx']['error']} at character {item['loc'][-1]}")
    if isinstance(error.body, bytes):  # FastAPI parses nothing else
        return Problem(
            415,
            "unsupported-media-type",
            "The body must be JSON: send Content-Type: application/json.",
            title="Unsupported media type",
        )
    for item in found:
        INVALID_FIELDS.labels(str(item["type"])).inc()
    errors = [_field_error(item, error.body) for item in found[:ERRORS_MAX]]
    first = errors[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    where = first.parameter if first.parameter is not None else first.pointer or "the body"
    return Problem(422, "invalid-request", f"{where}: {first.detail}{more}.", title="Invalid request", errors=errors)


def _field_error(item: Mapping[str, object], body: object) -> FieldError:
    kind = str(item["type"])
    location = item["loc"]
    detail = _detail(kind, item)
    if not isinstance(location, tuple) or not location:
        return FieldError(pointer="", detail=detail)
    if location[0] == "body":
        return FieldError(pointer=pointer_of(location[1:], body, is_missing=kind == "missing"), detail=detail)
    return FieldError(parameter=" ".join(str(step) for step in location[:2]), detail=detail)


def _detail(kind: str, item: Mapping[str, object]) -> str:
    """pydantic's words, except where they repeat what was sent."""
    context = item.get("ctx")
    if kind == "union_tag_invalid" and isinstance(context, dict):
        return f"{context.get('discriminator')} should be one of {context.get('expected_tags')}"
    if kind == "extra_forbidden":
        return "This field is not known: remove it"
    if kind == "uuid_parsing":
        return "Input should be a valid UUID"
    return str(item["msg"])
