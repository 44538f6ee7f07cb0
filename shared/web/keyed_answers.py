"""What stands between a key and its answer: whose key it is, the record of an answer, and how either is told."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self

import asyncpg
from fastapi import Response
from pydantic import BaseModel

from shared.database.later import Write
from shared.web.answers import Answer, ProblemAnswer, UnderWay
from shared.web.keyed_requests import KeyedRequest
from shared.web.metrics import IDEMPOTENT_ANSWERS, PROBLEMS
from shared.web.principal import Principal
from shared.web.problems import PROBLEM_MEDIA_TYPE, Problem

REPLAYED_HEADER = "Idempotency-Replayed"

_SAVE = """
    insert into idempotency (client_id, idempotency_key, request_hash, status, body, created_at)
    select client_id, idempotency_key, request_hash, status, body, $6
    from unnest($1::text[], $2::text[], $3::bytea[], $4::smallint[], $5::bytea[])
        as answered (client_id, idempotency_key, request_hash, status, body)
"""


class TurnedAwayError(Exception):
    """Refused before any work: about the key and not about the request, so never stored under the key."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Keyed(NamedTuple):
    """Whose key, and what was asked under it."""

    client_id: str
    key: str
    request_hash: bytes

    @classmethod
    def of(cls, principal: Principal, request: KeyedRequest, payload: BaseModel | bytes | None) -> Self:
        """The key of a request with this body."""
        return cls(principal.client_id, request.key, request.request_hash(payload))

    @property
    def lock(self) -> str:
        """What its advisory lock is called."""
        return f"{self.client_id} {self.key}"


class Decision(NamedTuple):
    """A key's answer, with its bytes, which are made once: they are stored and sent."""

    keyed: Keyed
    answer: Answer | ProblemAnswer
    body: bytes

    @classmethod
    def of(cls, keyed: Keyed, answer: Answer | ProblemAnswer) -> Self:
        """Call it where the request is answered: a problem names its id."""
        return cls(keyed, answer, answer.to_bytes())

    @property
    def kept(self) -> bytes:
        """What is stored of it."""
        is_other = isinstance(self.answer, Answer) and self.answer.kept is not None
        return self.answer.to_kept_bytes() if is_other else self.body


def saving(decisions: Sequence[Decision], now: datetime) -> Write:
    """The records of these answers."""
    return Write(
        _SAVE,
        (
            [one.keyed.client_id for one in decisions],
            [one.keyed.key for one in decisions],
            [one.keyed.request_hash for one in decisions],
            [one.answer.status for one in decisions],
            [one.kept for one in decisions],
            now,
        ),
    )


def require_ours(*, is_ours: bool) -> None:
    """Raises TurnedAwayError while another request with the key is being decided."""
    if not is_ours:
        IDEMPOTENT_ANSWERS.labels("in_flight").inc()
        raise TurnedAwayError(
            Problem(
                409,
                "idempotency-in-flight",
                "A request with this Idempotency-Key is being worked on: try again in a second for its answer.",
                headers={"Retry-After": "1"},
            )
        )


def replayed(stored: asyncpg.Record, request_hash: bytes) -> Response:
    """The stored answer. Raises TurnedAwayError where it is another request's."""
    if stored["request_hash"] != request_hash:
        IDEMPOTENT_ANSWERS.labels("other_payload").inc()
        raise TurnedAwayError(
            Problem(
                422,
                "idempotency-key-reused",
                "This Idempotency-Key came with another request before: use a new key for a new request.",
            )
        )
    IDEMPOTENT_ANSWERS.labels("replayed").inc()
    return _response(stored["status"], stored["body"], is_replayed=True)


def under_way(answer: UnderWay) -> Response:
    """An answer that decides nothing yet."""
    IDEMPOTENT_ANSWERS.labels("under_way").inc()
    return _answered(answer.answer, answer.answer.to_bytes())


def decided(decision: Decision) -> Response:
    """The answer for the first time."""
    IDEMPOTENT_ANSWERS.labels("refused" if isinstance(decision.answer, ProblemAnswer) else "done").inc()
    return _answered(decision.answer, decision.body)


def _answered(answer: Answer | ProblemAnswer, body: bytes) -> Response:
    response = _response(answer.status, body, is_replayed=False)
    if isinstance(answer, ProblemAnswer):
        PROBLEMS.labels(str(answer.status), answer.problem.slug).inc()
        response.headers.update(answer.problem.headers)
    return response


def _response(status: int, body: bytes, *, is_replayed: bool) -> Response:
    is_problem = status >= 400
    return Response(
        body,
        status,
        headers={REPLAYED_HEADER: "true"} if is_replayed else None,
        media_type=PROBLEM_MEDIA_TYPE if is_problem else "application/json" if body else None,
    )
