"""A play of purchases against a whole stack, and the same reckoned on paper."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cli.bench.workload import coalition, enrolments, member_ids, purchases, send
from deploy.local.stack import LocalStack
from shared.events.catalogue import PURCHASES
from shared.events.envelope import Event
from shared.events.purchases import PurchaseRecorded
from shared.kafka.producer import EventProducer
from tests.support.stack_looks import assert_ledger_is_sound, connected
from tests.support.until import until

DECIDED_SECONDS_MAX = 120.0
DUPLICATED_PERCENT = 30

# Of the play's members alone: others may live on the same stack.
_AWARDS = "select count(*) from accrual.awards where owner_id = any($1)"
_BALANCES = "select owner_id, available, pending, debt from ledger.ledger_accounts where owner_id = any($1)"

Message = tuple[str, str, Event]


@dataclass
class Play:
    """Purchases that were posted, by receipt, and who bought."""

    stack: LocalStack
    members: list[UUID]
    posted: dict[str, PurchaseRecorded] = field(default_factory=dict)
    _next: int = 0

    async def begin(self) -> None:
        """A coalition and members. Of rules there are those of the benchmarks: a point a dollar, fruit and vegetables
        count double."""
        await self.send([*coalition(), *enrolments(self.members)])

    def write(self, count: int) -> list[Message]:
        """New purchases."""
        messages = list(purchases(PURCHASES.topic, self.members, self._next, count))
        self._next += count
        for _, _, event in messages:
            assert isinstance(event, PurchaseRecorded)
            self.posted[event.data.receipt_id] = event
        return messages

    async def send(self, messages: Sequence[Message]) -> None:
        """To Kafka, acknowledged."""
        producer = EventProducer(self.stack.kafka_settings)
        try:
            await send(producer, messages)
        finally:
            await producer.stop()

    async def await_decided(self) -> None:
        """Until every purchase has its award, and accrual has published everything."""
        async with connected(self.stack) as connection:

            async def is_decided() -> bool:
                awarded = await connection.fetchval(_AWARDS, self.members)
                waiting = await connection.fetchval("select count(*) from accrual.outbox")
                return bool(awarded == len(self.posted) and waiting == 0)

            await until(is_decided, seconds_max=DECIDED_SECONDS_MAX)

    async def count_awards(self) -> int:
        """How many purchases have been awarded so far."""
        async with connected(self.stack) as connection:
            return int(await connection.fetchval(_AWARDS, self.members))

    async def check(self) -> None:
        """Nothing lost, nothing doubled: balances as on paper, the ledger sound, no dead letters."""
        async with connected(self.stack) as connection:
            rows = await connection.fetch(_BALANCES, self.members)
            letters = await connection.fetch("select cause, detail from accrual.dead_letters where fate <> 'erased'")
        assert letters == []
        assert {row["owner_id"]: (row["available"], row["pending"], row["debt"]) for row in rows} == {
            owner: (points, 0, 0) for owner, points in self._on_paper().items() if points
        }
        await assert_ledger_is_sound(self.stack)

    def _on_paper(self) -> dict[UUID, int]:
        """Balances from the purchases alone, by the rules as a person would read them."""
        points: dict[UUID, int] = {}
        for event in self.posted.values():
            member_id = event.data.member_id
            assert member_id is not None
            spent = sum(line.amount_minor for line in event.data.lines)
            on_produce = sum(line.amount_minor for line in event.data.lines if line.category == "PRODUCE")
            points[member_id] = points.get(member_id, 0) + spent // 100 + on_produce // 100
        return points


def new_play(stack: LocalStack, members: int) -> Play:
    """A play with so many members."""
    return Play(stack, member_ids(members))


def with_duplicates(messages: Sequence[Message], choice: random.Random) -> list[Message]:
    """30% of the messages come again, somewhere later."""
    doubled = list(messages)
    for message in choice.sample(list(messages), len(messages) * DUPLICATED_PERCENT // 100):
        doubled.insert(choice.randrange(doubled.index(message) + 1, len(doubled) + 1), message)
    return doubled


def slices(messages: Sequence[Message], size: int) -> Iterable[Sequence[Message]]:
    """The messages in portions."""
    return (messages[start : start + size] for start in range(0, len(messages), size))
