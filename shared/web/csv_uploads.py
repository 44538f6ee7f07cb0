"""The HTTP side of files that are sent as CSV: what the route takes, and how refused lines are shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect

from shared.web.csv_pages import LineRefusal
from shared.web.problems import Problem

CSV_MEDIA_TYPES = ("text/csv", "application/csv")
CSV_CONTENT: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}
}


@asynccontextmanager
async def csv_upload(request: Request) -> AsyncIterator[None]:
    """Around whatever reads ``request.stream()``: only CSV is let in; a broken connection is no fault."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in CSV_MEDIA_TYPES:
        raise Problem(415, "unsupported-media-type", "Send the file with Content-Type: text/csv.")
    try:
        yield
    except ClientDisconnect:  # nobody is there to read this; it is counted as the caller's, and not as a fault
        raise Problem(400, "broken-off", "The connection broke: send the same file again.") from None


class RefusalAnswer(BaseModel):
    """A record that came to nothing: the line it begins on, why, and the column where a single one is to blame."""

    model_config = ConfigDict(frozen=True)

    line: int
    reason: str
    column: str | None

    @classmethod
    def of(cls, refusal: LineRefusal) -> Self:
        """The answer for a refusal."""
        return cls(line=refusal.line, reason=refusal.reason, column=refusal.column)
