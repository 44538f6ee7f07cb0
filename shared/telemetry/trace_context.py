"""W3C trace context: the ``traceparent`` that ties a till's request to the last effect it had.

It enters at the door (or is made there), stands in every event as a CloudEvents attribute, and is taken up again
where the event is handled, so that one trace id finds a receipt in the logs of every service.
"""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TRACEPARENT = re.compile(r"^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$")
_SPAN_BITS = 2**64 - 1
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def new_traceparent() -> str:
    """A new trace with its first span, sampled.

    Random and never all zero. An id is no secret: the system's slow randomness would be wasted on it.
    """
    bits = random.getrandbits(192)  # at once: one is made for every receipt that came without  # nosec B311
    return f"00-{bits >> 64 or 1:032x}-{bits & _SPAN_BITS or 1:016x}-01"


def accept_traceparent(value: str | None) -> str:
    """The caller's trace where it is well formed, otherwise a new one: a bad header never refuses a request."""
    return value if value is not None and _TRACEPARENT.match(value) else new_traceparent()


def child_traceparent(parent: str | None) -> str:
    """The same trace, a new span: what an effect carries of its cause."""
    matched = _TRACEPARENT.match(parent) if parent is not None else None
    if matched is None:
        return new_traceparent()
    return f"00-{matched[1]}-{random.getrandbits(64) or 1:016x}-{matched[3]}"  # nosec B311


def trace_id_of(traceparent: str | None) -> str | None:
    """The 32 hex digits that all of one trace share."""
    matched = _TRACEPARENT.match(traceparent) if traceparent is not None else None
    return matched[1] if matched is not None else None


def current_traceparent() -> str | None:
    """The trace that this task works for, if any."""
    return _current.get()


@contextmanager
def traced(traceparent: str | None) -> Iterator[None]:
    """Work for this trace until the block ends; logs pick it up."""
    token = _current.set(traceparent)
    try:
        yield
    finally:
        _current.reset(token)
