"""Logs: one JSON object a line on standard output, with the request, the trace and the event it belongs to.

Write ``log = structlog.get_logger()`` and ``log.info("member enrolled", member_id=…)``: a constant sentence, and the
facts as fields. Libraries that use ``logging`` come out in the same form. Nothing personal is written: see ``masking``.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
import structlog

from shared.telemetry.failures import describe_failure
from shared.telemetry.masking import is_hidden, mask
from shared.telemetry.trace_context import current_traceparent, trace_id_of

# Ours, or harmless by construction: what the masking leaves alone.
_OWN_FIELDS = frozenset({"timestamp", "level", "service", "role", "request_id", "trace_id", "event_id", "logger"})
_QUIET_LIBRARIES = ("aiokafka", "asyncio", "httpcore2", "httpx2", "uvicorn.access", "uvicorn.error", "alembic")

_EventDict = MutableMapping[str, Any]


def configure_logs(*, service: str, role: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log line of this process to ``stream`` (standard output) as JSON. Calling it again replaces it."""
    threshold = logging.getLevelNamesMapping()[level.upper()]

    def add_process(_: Any, __: str, event: _EventDict) -> _EventDict:
        event["service"], event["role"] = service, role
        return event

    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        add_process,
        _add_trace,
        _describe_failure,
        _mask_personal,
        _add_timestamp,
    ]
    structlog.configure(
        processors=[*shared, _render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream) if stream is not None else _StandardOutput()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shared, _render],
            pass_foreign_args=False,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(threshold)
    for name in ("uvicorn", *_QUIET_LIBRARIES):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
        library.setLevel(max(threshold, logging.WARNING if name in _QUIET_LIBRARIES else logging.INFO))


class _StandardOutput(logging.StreamHandler[TextIO]):
    """Writes to what standard output is at that moment, as structlog does: tests exchange it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # an attribute there; logging does the same for its last resort
        return sys.stdout


def event_logged(event_id: object) -> AbstractContextManager[None]:
    """Log lines written inside the block bear this event's id."""
    return structlog.contextvars.bound_contextvars(event_id=str(event_id))


def _add_timestamp(_: Any, __: str, event: _EventDict) -> _EventDict:
    # The machine's time on purpose: logs of one incident are read side by side with the broker's and the database's.
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    return event


def _add_trace(_: Any, __: str, event: _EventDict) -> _EventDict:
    trace_id = trace_id_of(current_traceparent())
    if trace_id is not None:
        event["trace_id"] = trace_id
    return event


def _describe_failure(_: Any, __: str, event: _EventDict) -> _EventDict:
    failure = event.pop("exc_info", None)
    if failure is True:
        failure = sys.exc_info()[1]
    elif isinstance(failure, tuple):
        failure = failure[1]
    if isinstance(failure, BaseException):
        event["failure"] = describe_failure(failure)
    return event


def _mask_personal(_: Any, __: str, event: _EventDict) -> _EventDict:
    for field, value in event.items():
        if field in _OWN_FIELDS or field == "failure":
            continue
        event[field] = "…" if is_hidden(field) else mask(value)
    return event


def _render(_: Any, __: str, event: _EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
