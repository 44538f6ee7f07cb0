"""What a request that has an effect comes to, as ``shared.web.idempotency`` wants to be told it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import orjson
from pydantic import BaseModel

from shared.database import Transaction
from shared.web.problems import Problem
from shared.web.request_context import current_request_id


@dataclass(frozen=True, slots=True)
class Answer:
    """What ``work`` decided: the status and the body (None: an empty one).

    ``kept`` where the body says what may not stand among kept answers, which nobody's erasure goes through: what
    somebody wrote of a member. It is stored in the body's place, and answered to whoever sends the request again.
    """

    status: int
    body: BaseModel | Sequence[BaseModel] | None = None
    kept: BaseModel | None = None

    def to_bytes(self) -> bytes:
        """The body as JSON."""
        if self.body is None:
            return b""
        if isinstance(self.body, BaseModel):
            return self.body.__pydantic_serializer__.to_json(self.body, by_alias=True)
        return orjson.dumps([item.model_dump(mode="json", by_alias=True) for item in self.body])

    def to_kept_bytes(self) -> bytes:
        """What of it is stored, as JSON."""
        return self.to_bytes() if self.kept is None else Answer(self.status, self.kept).to_bytes()


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """A refusal whose writes are kept: an event that tells of the decline is committed with it."""

    problem: Problem

    @property
    def status(self) -> int:
        """The problem's status."""
        return self.problem.status

    def to_bytes(self) -> bytes:
        """The problem as JSON, with the id of the request that was refused first."""
        return self.problem.body(current_request_id())

    def to_kept_bytes(self) -> bytes:
        """The same: a problem says nothing of anybody."""
        return self.to_bytes()


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An answer that decides nothing yet: the same request is sent again under the same key, with what it lacked.

    ``work`` itself tells the request from another one under the key meanwhile.
    """

    answer: Answer | ProblemAnswer


class Left(Enum):
    """Of a request that shares a transaction (``shared.web.sharing``): not decided there. ``BUSY``, since somebody else
    has its rows locked; ``ALONE``, since it needs more than others do."""

    BUSY = "busy"
    ALONE = "alone"


Decided: TypeAlias = Answer | ProblemAnswer | UnderWay
Work: TypeAlias = Callable[[Transaction], Awaitable[Decided]]
