"""Where a made-up life is played: redemption's use cases on a real database, in the life's own time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeAlias

from services.redemption.programme import Programme
from shared.database import Database, Transaction
from tests.support import redemption_steps as life
from tests.support.redemption import PROGRAMME
from tests.support.redemption_names import Names

FIRST_MOMENT = datetime(2026, 2, 20, 12, tzinfo=UTC)
WAITING_MAX = 100

Work: TypeAlias = Callable[[Transaction], Awaitable[str]]


@dataclass(slots=True)
class Stage:
    """One life's database, names and time. ``codes`` are those of vouchers, as far as somebody was told."""

    database: Database
    lived: life.Life
    names: Names
    now: datetime = FIRST_MOMENT
    codes: dict[int, str] = field(default_factory=dict)

    @property
    def programme(self) -> Programme:
        """What is set for this life."""
        return replace(PROGRAMME, came_back_days=self.lived.came_back_days, members_owe=self.lived.members_owe)

    def as_of(self, transaction: Transaction) -> Transaction:
        """In the life's own time, whatever the server's clock says."""
        return replace(transaction, now=self.now, zone=UTC)

    async def do(self, work: Work) -> str:
        """In a transaction of its own."""
        return await self.database.run(lambda transaction: work(self.as_of(transaction)))
