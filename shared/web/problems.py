"""RFC 9457 problems: the one form in which this programme says no.

``type`` names the kind of problem for machines, ``title`` names it for people and never varies, ``detail`` says what
is wrong with this request and what to do about it. ``errors`` points at the fields. A problem never repeats a value
that was sent: it could be a member's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from shared.web.metrics import PROBLEMS

PROBLEM_TYPE_PREFIX = "https://tessera.invalid/problems/"
PROBLEM_MEDIA_TYPE = "application/problem+json"

_ABOUT_STATUS = {
    400: "The request is malformed.",
    401: "The credentials are missing, expired or not known.",
    403: "The credentials do not allow this.",
    404: "There is no such object, or it belongs to another partner.",
    405: "The route does not know this method.",
    409: "The object's present state does not allow this.",
    412: "The object was changed in the meantime.",
    413: "The body is larger than 1 MB.",
    415: "The body is not JSON.",
    422: "A field is not valid.",
    428: "The request must say which version it changes.",
    429: "Too many requests.",
    503: "Something that is needed is away; try again after Retry-After.",
}


class FieldError(BaseModel):
    """One finding. ``pointer`` is an RFC 6901 pointer into the body; ``parameter`` names what is outside of it."""

    model_config = ConfigDict(frozen=True)

    detail: str
    pointer: str | None = Field(default=None, examples=["/lines/0/amount_minor"])
    parameter: str | None = Field(default=None, examples=["query limit"])


class ProblemBody(BaseModel):
    """What a problem looks like on the wire."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=[PROBLEM_TYPE_PREFIX + "invalid-request"])
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[FieldError] | None = None


class Problem(Exception):  # noqa: N818 -- RFC 9457's own word, and what every service calls it
    """Raise it anywhere under a route to answer with a problem.

    ``slug`` completes the ``type`` URI and labels a metric: a constant, never built from input. ``title`` belongs to
    the slug and defaults to its words. ``extensions`` become members of the body.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        title: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title if title is not None else slug.replace("-", " ").capitalize()
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})

    @property
    def is_fault(self) -> bool:
        """Whether the request was not decided at all: worth another try."""
        return self.status >= 500 or self.status in (408, 425, 429)

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be answered otherwise later, so that this is never stored as its answer: it was
        not decided, says when to ask again, or found nothing by a name (yet)."""
        return self.is_fault or self.status == 404 or "Retry-After" in self.headers

    def body(self, request_id: str | None = None) -> bytes:
        """The problem as JSON."""
        members: dict[str, Any] = {
            "type": PROBLEM_TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if request_id is not None:
            members["request_id"] = request_id
        if self.errors:
            members["errors"] = [error.model_dump(exclude_none=True) for error in self.errors]
        return orjson.dumps(self.extensions | members, default=str)


def problem_response(problem: Problem, request_id: str | None = None) -> Response:
    """The problem as an answer, counted."""
    PROBLEMS.labels(str(problem.status), problem.slug).inc()
    return Response(problem.body(request_id), problem.status, headers=problem.headers, media_type=PROBLEM_MEDIA_TYPE)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For ``responses=`` of a route: these statuses answer with a problem."""
    return {
        status: {
            "description": _ABOUT_STATUS[status],
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def not_found(what: str) -> Problem:
    """``what`` in words ("redemption"): not there, or another partner's; the answer does not tell which."""
    return Problem(
        404, "not-found", f"There is no such {what}, or it belongs to another partner: check the id.", title="Not found"
    )


def invalid_field(pointer: str, detail: str) -> Problem:
    """A single field that the schema accepts and the programme does not: 422 with its pointer."""
    return Problem(
        422,
        "invalid-request",
        f"{pointer}: {detail}",
        title="Invalid request",
        errors=(FieldError(pointer=pointer, detail=detail),),
    )
