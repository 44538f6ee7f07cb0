"""TLS to PostgreSQL, said in its URL as every PostgreSQL tool says it: ``?sslmode=verify-full&sslrootcert=/path``.

SQLAlchemy would hand these words to the driver, which takes them in a URL of its own only; so they are read here.
"""

import ssl
from typing import Any

from sqlalchemy.engine import URL, make_url

_WORDS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class InvalidTlsError(ValueError):
    """The URL's words on TLS cannot be followed; the message repeats no part of the URL."""


def engine_arguments(url: str) -> tuple[URL, dict[str, Any]]:
    """The URL for SQLAlchemy's asyncpg dialect, and the arguments for the driver that its words on TLS become.

    ``require`` encrypts and believes any certificate; ``verify-ca`` checks who signed it; ``verify-full`` the host's
    name as well. Without ``sslmode`` it is the driver's own ``prefer``, unless a certificate is named: then it is
    ``verify-full``.

    Raises:
        InvalidTlsError: a mode that there is not, or a file without a mode that reads it.
    """
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    told = {word: str(parsed.query[word]) for word in _WORDS if word in parsed.query}
    mode = told.get("sslmode", "verify-full" if told else "")
    bare = parsed.difference_update_query(_WORDS)
    if not mode:
        return bare, {}
    if mode not in _MODES:
        raise InvalidTlsError(f"sslmode must be one of {', '.join(_MODES)}")
    if mode in ("disable", "allow", "prefer"):
        if len(told) > 1:
            raise InvalidTlsError(f"sslmode={mode} verifies nothing: with a certificate, say verify-full")
        return bare, {"ssl": mode}
    return bare, {"ssl": _context(mode, told)}


def _context(mode: str, told: dict[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=told.get("sslrootcert"))
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    if "sslcert" in told:
        context.load_cert_chain(told["sslcert"], told.get("sslkey"))
    return context
