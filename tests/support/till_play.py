"""Tills that take points of many members on a whole stack, and what must be left of it, counted on paper."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import httpx2

from cli.bench.workload import PARTNER as ISSUER
from cli.bench.workload import enrolments
from deploy.local.stack import LocalStack
from services.accrual.use_cases.messages import purchase_message
from shared.events.catalogue import COALITION, PURCHASES, REDEMPTIONS
from shared.events.coalition import PartnerChanged, PartnerData, StoreChanged, StoreData, TillChanged, TillData
from shared.events.envelope import Event
from shared.events.purchases import PurchaseEvent
from shared.ids import new_id
from shared.kafka.errors import ProducerBrokenError, ProducerUnavailableError
from shared.kafka.producer import EventProducer, OutgoingRecord
from shared.outbox.recording import Message
from tests.support.receipts import purchase
from tests.support.stack_looks import Admin, assert_ledger_is_sound, connected, end_offsets, read_whole
from tests.support.till_talks import FUNDS, PARTNER, Left, Talk, Talks
from tests.support.tills import ASK_SECONDS_MAX, Tills
from tests.support.told_redemptions import assert_told
from tests.support.until import until

SEND_SECONDS_MAX = 5.0
SENT_SECONDS_MAX = 60.0
SETTLED_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.1
TALKS_AT_ONCE = 12
TWICE_PERCENT = 30
# Of a round: how many conversations of each kind; members have two of these at once, but for the last two.
OF_EACH, RACED, PENNILESS = 4, 3, 2
SEED = 20_261_126

_REDEMPTIONS = """
    select redemption_id, member_id, state, open_points, captured_points, uncovered_points,
        (
            select coalesce(sum(refunded_points), 0)::bigint from redemption.redemption_captures as taken
            where taken.redemption_id = redemption.redemption_id
        ) as refunded_points
    from redemption.redemptions as redemption
    where member_id = any($1)
"""
_EXCEPTIONS = """
    select redemption_id, kind, asked_points, captured_points from redemption.redemption_exceptions
    where partner_id = $1
    union all
    select redemption_id, case when taken.uncovered_points > 0 then 'uncovered' else 'late' end,
        points + taken.uncovered_points, points
    from redemption.redemption_captures as taken join redemption.redemptions using (redemption_id)
    where partner_id = $1 and (late_points > 0 or taken.uncovered_points > 0)
"""
_ACCOUNTS = """
    select owner_id, available, held, pending, debt from ledger.ledger_accounts
    where owner_id = any($1) and available + held + pending + debt > 0
"""
_LETTERS = """
    select cause, detail from redemption.dead_letters where fate <> 'erased'
    union all
    select cause, detail from accrual.dead_letters where fate <> 'erased'
"""


@dataclass
class TillPlay:
    """A play in rounds. ``earned`` is what each member has got; ``posted`` is every document of a till, in order.
    ``apart`` is a member of whom no round asks anything."""

    stack: LocalStack
    tills: Tills
    _producer: EventProducer
    apart: UUID = field(default_factory=new_id)
    earned: dict[UUID, int] = field(default_factory=dict)
    posted: list[PurchaseEvent] = field(default_factory=list)
    _choice: random.Random = field(default_factory=lambda: random.Random(SEED))
    _twice: list[PurchaseEvent] = field(default_factory=list)
    _posting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.talks = Talks(self.tills, self.post)
        self._rounds: Iterator[tuple[list[UUID], list[UUID], list[UUID]]] = iter(())

    @property
    def left(self) -> Sequence[Left]:
        """What must be left of all conversations that have ended."""
        return self.talks.left

    async def begin(self, rounds: int) -> None:
        """A partner that takes points, and members for so many rounds, who have earned theirs where receipts give
        them."""
        in_pairs = len(self.talks.of_who_has_points) * OF_EACH // 2
        sizes = (in_pairs, RACED, PENNILESS)
        groups = [tuple([new_id() for _ in range(size)] for size in sizes) for _ in range(rounds)]
        for pairs, raced, penniless in groups:
            self.earned |= dict.fromkeys([*pairs, *raced], FUNDS) | dict.fromkeys(penniless, 0)
        self.earned[self.apart] = FUNDS
        self._rounds = iter([(one, two, three) for one, two, three in groups])
        await self._send([*_shops(), *enrolments(list(self.earned))])
        now = datetime.now(UTC)
        rich = [member_id for member_id, points in self.earned.items() if points]
        buys = partial(purchase, lines=FUNDS * 100, partner_id=ISSUER, occurred_at=now)
        await self._send_documents([buys(number, owner=member_id) for number, member_id in enumerate(rich)])

        async with connected(self.stack) as admin:

            async def have_earned() -> bool:
                return await self._accounts(admin) == dict.fromkeys(rich, (FUNDS, 0, 0, 0))

            await until(have_earned, seconds_max=SETTLED_SECONDS_MAX, look_seconds=LOOK_SECONDS)

    def start_round(self) -> "asyncio.Task[None]":
        """Every kind of conversation, many at once; done when the last one is."""
        pairs, raced, penniless = next(self._rounds)
        talks: list[tuple[Talk, UUID]] = [(self.talks.raced, one) for one in raced]
        talks += [(self.talks.penniless, one) for one in penniless]
        kinds = [kind for kind in self.talks.of_who_has_points for _ in range(OF_EACH)]
        talks += zip(kinds, self._choice.sample([*pairs, *pairs], len(kinds)), strict=True)
        self._choice.shuffle(talks)
        return asyncio.create_task(self._hold(talks))

    async def pay_late(self) -> None:
        """A receipt of the member apart comes, without a hold."""
        await self.talks.without_a_hold(self.apart)

    async def post(self, documents: Sequence[PurchaseEvent]) -> None:
        """To Kafka, acknowledged, whatever becomes of the broker; some of it comes again with what is posted next."""
        self.posted += documents
        again, self._twice = self._twice, [one for one in documents if self._choice.randrange(100) < TWICE_PERCENT]
        await self._send_documents([*documents, *again])

    async def post_everything_again(self) -> None:
        """The whole play once more, as if somebody had read the topic from its beginning."""
        await self._send_documents(self.posted)

    async def await_untold(self) -> None:
        """Until something has been done of which nobody was told."""
        async with connected(self.stack) as admin:
            await until(partial(admin.fetchval, "select count(*) from redemption.outbox"))

    async def await_settled(self) -> None:
        """Until redemption has read all purchases, has done what there is to do, and has told it."""
        ends = await end_offsets(self.stack, PURCHASES.topic)
        async with connected(self.stack) as admin:

            async def is_settled() -> bool:
                rows = await admin.fetch(
                    "select partition, next_offset from redemption.read_to where topic = $1", PURCHASES.topic
                )
                has_read = {row["partition"]: row["next_offset"] for row in rows}
                return (
                    all(has_read.get(place.partition, 0) >= end for place, end in ends.items())
                    and await admin.fetchval("select count(*) from redemption.outbox") == 0
                    and await self._redemptions(admin) == self._on_paper()
                )

            with suppress(TimeoutError):  # then a check says what is missing
                await until(is_settled, seconds_max=SETTLED_SECONDS_MAX, look_seconds=LOOK_SECONDS)

    async def check(self) -> None:
        """Nothing was lost, doubled or oversold: redemptions, balances, exceptions and what was told are as on paper,
        and everything that was asked is answered as it was the first time."""
        async with connected(self.stack) as admin:
            assert await self._redemptions(admin) == self._on_paper()
            assert await self._accounts(admin) == self._balances_on_paper()
            exceptions = [tuple(row) for row in await admin.fetch(_EXCEPTIONS, PARTNER)]
            assert await admin.fetch(_LETTERS) == []
        assert sorted(exceptions) == sorted((one.redemption_id, *one.exception) for one in self.left if one.exception)
        assert_told(await read_whole(self.stack, REDEMPTIONS.topic), self.left, self.earned)
        await self.tills.check_answers()
        await assert_ledger_is_sound(self.stack)

    async def _hold(self, talks: Sequence[tuple[Talk, UUID]]) -> None:
        room = asyncio.Semaphore(TALKS_AT_ONCE)

        async def one(talk: Talk, member_id: UUID) -> None:
            async with room:
                await talk(member_id)

        async with asyncio.TaskGroup() as group:
            for talk, member_id in talks:
                group.create_task(one(talk, member_id))

    def _on_paper(self) -> dict[UUID, tuple[object, ...]]:
        return {
            one.redemption_id: (one.member_id, one.state, one.held, one.captured, one.uncovered, one.refunded)
            for one in self.left
        }

    def _balances_on_paper(self) -> dict[UUID, tuple[int, ...]]:
        gone, held = Counter[UUID](), Counter[UUID]()
        for one in self.left:
            gone[one.member_id] += one.gone
            held[one.member_id] += one.held
        return {
            member_id: (points - gone[member_id], held[member_id], 0, 0)
            for member_id, points in self.earned.items()
            if points
        }

    async def _redemptions(self, admin: Admin) -> dict[UUID, tuple[object, ...]]:
        rows = await admin.fetch(_REDEMPTIONS, list(self.earned))
        return {row["redemption_id"]: tuple(row)[1:] for row in rows}

    async def _accounts(self, admin: Admin) -> dict[UUID, tuple[int, ...]]:
        rows = await admin.fetch(_ACCOUNTS, list(self.earned))
        return {row["owner_id"]: tuple(row)[1:] for row in rows}

    async def _send_documents(self, documents: Sequence[PurchaseEvent]) -> None:
        await self._deliver([purchase_message(document) for document in documents])

    async def _send(self, messages: Sequence[tuple[str, str, Event]]) -> None:
        await self._deliver([Message.of(event, topic, key) for topic, key, event in messages])

    async def _deliver(self, messages: Sequence[Message]) -> None:
        records = [OutgoingRecord(one.topic, one.key.encode(), one.body, one.headers) for one in messages]

        async def is_acknowledged() -> bool:
            try:
                await self._producer.send_all(records, deadline_seconds=SEND_SECONDS_MAX)
            except (ProducerUnavailableError, ProducerBrokenError):
                await self._producer.drop()
                return False
            return True

        async with self._posting:
            await until(is_acknowledged, seconds_max=SENT_SECONDS_MAX)


@asynccontextmanager
async def new_till_play(stack: LocalStack) -> AsyncIterator[TillPlay]:
    """A play on this stack, with tills that ask as its own client."""
    headers = {"Authorization": f"Bearer {await asyncio.to_thread(stack.token)}"}
    url, producer = stack.url("redemption"), EventProducer(stack.kafka_settings)
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=ASK_SECONDS_MAX, trust_env=False) as http:
        try:
            yield TillPlay(stack, Tills(http), producer)
        finally:
            await producer.stop()


def _shops() -> list[tuple[str, str, Event]]:
    """A partner that takes points, one that gives them, and a till of each."""
    return [(COALITION.topic, partner_id, event) for partner_id in (PARTNER, ISSUER) for event in _shop(partner_id)]


def _shop(partner_id: str) -> list[Event]:
    now, place = datetime.now(UTC), {"partner_id": partner_id, "store_id": "s1", "version": 1}
    key = hashlib.sha256(partner_id.encode()).hexdigest()  # nobody knows what it is of
    partner = PartnerData(partner_id=partner_id, version=1, name=partner_id, state="active")
    store = StoreData(**place, name="Main Street", time_zone="America/New_York")
    till = TillData(**place, till_id="1", key_scheme="sequence", key_sha256=key)
    return [
        PartnerChanged(id=new_id(), source="test", subject=partner_id, time=now, data=partner),
        StoreChanged(id=new_id(), source="test", subject="s1", time=now, data=store),
        TillChanged(id=new_id(), source="test", subject="1", time=now, data=till),
    ]
