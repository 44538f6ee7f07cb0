"""Business time: the database's clock plus an offset that only tests move.

Nobody reads the machine's clock for a business decision. Inside a transaction the time comes from
``shared.database.Transaction.now``; where no transaction is open (the door judging a future date) a
``BusinessClock`` carries the same time between refreshes.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class BusinessClock:
    """Business time between two readings of the database.

    ``observe`` is told what the database said; ``now`` adds the time that has passed since, on the monotonic clock,
    so that a jump of the machine's wall clock changes nothing.
    """

    def __init__(self, observed: datetime, monotonic_seconds: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_seconds = monotonic_seconds
        self._observed = observed
        self._observed_at_seconds = monotonic_seconds()

    def observe(self, database_now: datetime) -> None:
        """Take a new reading. Business time never runs backwards: an older reading than ours is ignored."""
        if database_now >= self.now():
            self._observed = database_now
            self._observed_at_seconds = self._monotonic_seconds()

    def now(self) -> datetime:
        """The business time now, in UTC."""
        elapsed_seconds = self._monotonic_seconds() - self._observed_at_seconds
        return (self._observed + timedelta(seconds=elapsed_seconds)).astimezone(UTC)
