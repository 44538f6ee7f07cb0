"""Business time that tests move ahead, day by day, where the programme is."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from shared.database.moved_clock import advance_clock, read_clock

NEW_YORK = ZoneInfo("America/New_York")


class MovingClock:
    """Never runs backwards: a test begins where the one before it ended."""

    def __init__(self, admin: asyncpg.Connection) -> None:
        self._admin = admin

    async def now(self) -> datetime:
        """Business time, in UTC."""
        return (await read_clock(self._admin)).now

    async def today(self) -> date:
        """The programme's day."""
        return (await self.now()).astimezone(NEW_YORK).date()

    async def set_to(self, day: date, at: time = time()) -> None:
        """Move to a time of a day: by itself its first second."""
        await advance_clock(self._admin, datetime.combine(day, at, NEW_YORK) - await self.now())

    async def next_noon(self) -> date:
        """Move to the next day's noon; which day that is."""
        day = await self.today() + timedelta(days=1)
        await self.set_to(day, time(12))
        return day
