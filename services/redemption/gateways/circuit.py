"""Whether a neighbour is asked at all: while it is away, nobody waits for it in vain."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.redemption import metrics

FAILURES_IN_A_ROW_MAX = 5
AWAY_SECONDS = 1.0


class NeighbourAwayError(Exception):
    """The neighbour was not asked: it did not answer the last times. It is asked again a moment later."""


class Circuit:
    """One neighbour, as one process sees it.

    After ``FAILURES_IN_A_ROW_MAX`` calls without an answer it counts as away, and calls fail at once. Once in
    ``AWAY_SECONDS`` one call goes through; its answer brings the neighbour back. A call that is cancelled says nothing,
    unless whoever made it was still waiting and tells (``failed``). Whatever else it raises is an answer.
    """

    def __init__(self, neighbour: str, monotonic_seconds: Callable[[], float] = time.monotonic) -> None:
        self._neighbour = neighbour
        self._monotonic_seconds = monotonic_seconds
        self._failures = 0
        self._tried_again_at_seconds = 0.0

    @contextmanager
    def call(self, *failures: type[BaseException]) -> Iterator[None]:
        """Around one call; ``failures`` are what it raises where there was no answer.

        Raises:
            NeighbourAwayError: nothing was asked.
        """
        self._admit()
        try:
            yield
        except failures:
            self.failed()
            raise
        except Exception:
            self._answered()
            raise
        self._answered()

    def _admit(self) -> None:
        if self._failures < FAILURES_IN_A_ROW_MAX:
            return
        now_seconds = self._monotonic_seconds()
        if now_seconds < self._tried_again_at_seconds + AWAY_SECONDS:
            raise NeighbourAwayError(f"{self._neighbour} is away")
        self._tried_again_at_seconds = now_seconds

    def failed(self) -> None:
        """A call got no answer."""
        self._failures += 1
        if self._failures == FAILURES_IN_A_ROW_MAX:
            self._tried_again_at_seconds = self._monotonic_seconds()
            metrics.NEIGHBOURS_AWAY.labels(self._neighbour).set(1)

    def _answered(self) -> None:
        if self._failures:
            self._failures = 0
            metrics.NEIGHBOURS_AWAY.labels(self._neighbour).set(0)
