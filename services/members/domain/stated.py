"""When somebody said something: what may be claimed about that."""

from datetime import datetime, timedelta

from services.members.domain.statement_errors import StatedInFutureError

# The clock of whoever writes a statement down may run ahead of ours by this much.
CLOCK_AHEAD_MAX = timedelta(minutes=5)


def stated_time(said_at: datetime | None, now: datetime, field: str = "/stated_at") -> datetime:
    """The time that counts for a statement: as it was said, never later than now. ``field`` is what tells it.

    A clock that runs ahead is read as now: a statement from the future would outdo the withdrawal that follows it.

    Raises:
        StatedInFutureError: further ahead than a clock may be.
    """
    if said_at is None:
        return now
    if said_at > now + CLOCK_AHEAD_MAX:
        raise StatedInFutureError(f"{field}: it lies in the future: send the time at which the member said so")
    return min(said_at, now)
