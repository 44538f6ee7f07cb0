"""Notices a client that has stopped fetching though there is something to fetch."""

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Watchdog(Generic[K]):
    """Counts, for each partition, the seconds of polling in which it stood still before its end."""

    def __init__(self, stuck_seconds_max: float) -> None:
        self._stuck_seconds_max = stuck_seconds_max
        self._still: dict[K, tuple[int, float]] = {}

    def observe(self, polled_seconds: float, positions: Mapping[K, int], ends: Mapping[K, int]) -> K | None:
        """So long was polled since the last observation. Returns a partition that is stuck, if one is.

        Only time in which the broker answered and nobody was busy with records counts: an outage or a slow handler is
        not a client that is stuck.
        """
        still: dict[K, tuple[int, float]] = {}
        for partition, position in positions.items():
            if position < ends.get(partition, 0):
                stood_at, seconds = self._still.get(partition, (None, 0.0))
                still[partition] = (position, seconds + polled_seconds if stood_at == position else 0.0)
        self._still = still
        return next((key for key, (_, seconds) in still.items() if seconds > self._stuck_seconds_max), None)
