"""What an error of a handler means for its records: the one place where it is decided.

Permanent is a list (``shared.database.errors``, and what a handler declares itself); what took too long comes back in
smaller pieces; everything else is the world's fault and is waited for. An outage is never dead-lettered.
"""

from shared.database.errors import TransactionTimeoutError, is_permanent, postgres_error_of
from shared.kafka import Failure, PermanentError

# A statement, an idle transaction and a transaction that lasted too long, in this order.
_TIMEOUT_SQLSTATES = frozenset({"57014", "25P03", "25P04"})


def classify(error: Exception) -> Failure:
    """Permanent, too slow, or transient. A group is as bad as its worst: one permanent error makes it permanent."""
    if isinstance(error, ExceptionGroup):
        found = {classify(inner) for inner in error.exceptions if isinstance(inner, Exception)}
        return next(kind for kind in (Failure.PERMANENT, Failure.TIMEOUT, Failure.TRANSIENT) if kind in found)
    if isinstance(error, PermanentError) or is_permanent(error):
        return Failure.PERMANENT
    if isinstance(error, TransactionTimeoutError):
        return Failure.TIMEOUT
    postgres_error = postgres_error_of(error)
    if postgres_error is not None and postgres_error.sqlstate in _TIMEOUT_SQLSTATES:
        return Failure.TIMEOUT
    return Failure.TRANSIENT
