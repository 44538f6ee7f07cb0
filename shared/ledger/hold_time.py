"""How long ledger rows are held, for metrics and for batches that adapt to it."""

import time
from collections.abc import Callable


class HeldSince:
    """Hand one to ``post`` and read it after the commit: the seconds for which ledger rows were held.

    Counts from the moment the first call's locks were there. Of a transaction that locked nothing it reads 0.
    """

    __slots__ = ("_locked_at_seconds", "_monotonic_seconds")

    def __init__(self, monotonic_seconds: Callable[[], float] = time.perf_counter) -> None:
        self._monotonic_seconds = monotonic_seconds
        self._locked_at_seconds: float | None = None

    def locked(self) -> None:
        """Say that ledger rows are locked now; ``post`` does. Only the first time of a transaction counts."""
        if self._locked_at_seconds is None:
            self._locked_at_seconds = self._monotonic_seconds()

    def seconds(self) -> float:
        """The time since the rows were locked."""
        return 0.0 if self._locked_at_seconds is None else self._monotonic_seconds() - self._locked_at_seconds
