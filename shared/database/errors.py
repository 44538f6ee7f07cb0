"""What a database error means: worth another try at once, worth waiting for, or this record's own fault.

Permanent is a list, not a class: a missing partition is also a CHECK violation (without a constraint's name), and a
transaction that ran too long looks like a lost connection. Everything that is not listed is transient.
"""

import asyncpg
from sqlalchemy.exc import DBAPIError

# Connection exceptions, shutdowns, and transactions that the server ended for idling.
_LOST = ("08", "57P", "25P03")
_RETRYABLE = frozenset({"40001", "40P01"})
_ALWAYS_PERMANENT = frozenset({"23502", "23503"})
_PERMANENT_WITH_CONSTRAINT = frozenset({"23505", "23514"})


class StartAgainError(Exception):
    """A row of an earlier step turned out to be needed, or a fact changed while a lock was waited for.

    Nothing is wrong: the same work done again from the start finds it.
    """


class TransactionTimeoutError(TimeoutError):
    """The connection was lost after the transaction had lasted longer than its role may: less work might fit."""


def postgres_error_of(error: BaseException) -> asyncpg.PostgresError | None:
    """The server's own error, also from under SQLAlchemy's."""
    candidate: BaseException | None = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        candidate = error.orig.__cause__ or error.orig
    return candidate if isinstance(candidate, asyncpg.PostgresError) else None


def is_retryable(error: BaseException) -> bool:
    """Whether the same transaction may simply be tried again: a deadlock, a serialisation failure, a fact that changed
    while a lock was waited for."""
    if isinstance(error, StartAgainError):
        return True
    postgres_error = postgres_error_of(error)
    return postgres_error is not None and postgres_error.sqlstate in _RETRYABLE


def is_connection_lost(error: BaseException) -> bool:
    """Whether the connection ended under our hands: the server went away, or ended a transaction that idled."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = _cause_of(error)
    if _cannot_be_sent(cause):
        return False
    if isinstance(cause, asyncpg.InternalClientError | asyncpg.InterfaceError | ConnectionError):
        return True  # asyncpg's words for a server that said goodbye between two statements
    postgres_error = postgres_error_of(error)
    return postgres_error is not None and str(postgres_error.sqlstate).startswith(_LOST)


def is_permanent(error: BaseException) -> bool:
    """Whether these data can never be stored: data exceptions, and violations of constraints that bear a name."""
    if _cannot_be_sent(_cause_of(error)):
        return True
    postgres_error = postgres_error_of(error)
    if postgres_error is None or postgres_error.sqlstate is None:
        return False
    sqlstate = postgres_error.sqlstate
    if sqlstate in _PERMANENT_WITH_CONSTRAINT:
        return bool(getattr(postgres_error, "constraint_name", None))
    return sqlstate.startswith("22") or sqlstate in _ALWAYS_PERMANENT


def _cause_of(error: BaseException) -> BaseException | None:
    """asyncpg's own error, also from under SQLAlchemy's."""
    return error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error


def _cannot_be_sent(error: BaseException | None) -> bool:
    """asyncpg refuses a value that does not fit its column's type, before the server sees it."""
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)
