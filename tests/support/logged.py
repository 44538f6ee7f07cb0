"""What is logged while a test runs."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from shared.telemetry.logs import configure_logs


@contextmanager
def logged(*, service: str, role: str, level: str) -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, as that process would write it. Afterwards logs go where they went before.

    structlog's own defaults are no way back: they render every failure with all its variables, which takes seconds.
    """
    root = logging.getLogger()
    handlers, root_level, configured = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    configure_logs(service=service, role=role, level=level, stream=stream)
    yield stream
    structlog.configure(**configured)
    root.handlers, root.level = handlers, root_level
