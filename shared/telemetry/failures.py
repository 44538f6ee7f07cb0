"""An exception as a log line: types, places, and messages without the data that failed.

The usual text of an exception repeats its data: a validation error quotes the input, SQLAlchemy the parameters,
PostgreSQL the key that was there already. Here the message says what was broken and where, and no more.
"""

import traceback
from collections.abc import Iterator
from typing import Any

from shared.telemetry.masking import mask_text

CHAIN_LENGTH_MAX = 5
FRAMES_MAX = 12
FINDINGS_MAX = 5


def describe_failure(error: BaseException) -> list[dict[str, Any]]:
    """The exception and what caused it, outermost first: type, message, and the innermost frames."""
    return [
        {"type": type(link).__qualname__, "message": message_of(link), "frames": _frames(link)}
        for link, _ in zip(_chain(error), range(CHAIN_LENGTH_MAX), strict=False)
    ]


def message_of(error: BaseException) -> str:
    """What the exception says, without the data it was about."""
    if hasattr(error, "error_count") and callable(getattr(error, "errors", None)):  # pydantic's ValidationError
        return _findings(error)
    if getattr(error, "sqlstate", None):  # asyncpg: its text adds DETAIL, which quotes the row
        constraint = getattr(error, "constraint_name", None)
        told = mask_text(str(error.args[0]) if error.args else "")
        return f"{error.sqlstate}: {told}" + (f" (constraint {constraint})" if constraint else "")  # type: ignore[attr-defined]  # seen one line above
    if hasattr(error, "orig"):  # SQLAlchemy: its text adds the statement and its parameters
        original = error.orig
        return message_of(original) if isinstance(original, BaseException) else "a statement failed"
    return mask_text(str(error))


def _findings(error: Any) -> str:
    found = error.errors(include_input=False, include_context=False, include_url=False)
    told = [f"{'/'.join(str(step) for step in item['loc'])}: {item['type']}" for item in found[:FINDINGS_MAX]]
    more = f" and {len(found) - FINDINGS_MAX} more" if len(found) > FINDINGS_MAX else ""
    return mask_text(f"{error.title}: {'; '.join(told)}{more}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        if isinstance(link, BaseExceptionGroup):
            yield from link.exceptions
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _frames(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short(path: str) -> str:
    """From the package on: where a checkout or an environment lies is nobody's business."""
    for root in ("site-packages/", "/shared/", "/services/", "/cli/", "/deploy/", "/tests/"):
        _, found, after = path.rpartition(root)
        if found:
            return after if root == "site-packages/" else root.strip("/") + "/" + after
    return path.rpartition("/")[2]
