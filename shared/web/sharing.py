"""Keyed requests that are ready at the same time share one transaction.

Each still has an effect of its own and an answer of its own, stored under its key in the commit of its effect, as
``shared.web.idempotency`` promises; what they share is the round trips. Nothing waits for company: a request that comes
alone goes at once, and whoever comes while a transaction is under way goes with the next, when that one has ended, or
has lasted so long that it must be waiting for something.

- **Nobody waits for another's rows.** The shared transaction passes over what others have locked. Such a request goes
  into the lane of its subject, which has one transaction at a time and waits for that subject alone; those of one
  subject share it.
- **Nobody falls with another.** ``work`` decides what it can and leaves out the rest, which is asked alone, by the
  caller. Where the transaction fails, or may have failed while it was committed, each of its requests is asked alone:
  its key says what became of it. A request that shared with nobody is told the error.
- **Nobody is left hanging.** A request whose caller has gone away is passed over, or decided for whoever asks again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context, copy_context
from functools import partial
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import asyncpg
import structlog
from fastapi import Response
from pydantic import BaseModel
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.database import Database, Transaction
from shared.database.engine import Opened, Opening
from shared.web.answers import Decided, Left, UnderWay
from shared.web.idempotency import OPEN_ALL, meeting_records
from shared.web.keyed_answers import (
    Decision,
    Keyed,
    TurnedAwayError,
    decided,
    replayed,
    require_ours,
    saving,
    under_way,
)
from shared.web.keyed_requests import KeyedRequest
from shared.web.metrics import SHARED_REQUESTS, SHARED_TRANSACTION_REQUESTS
from shared.web.principal import Principal
from shared.web.problems import Problem

REQUESTS_MAX = 16  # in one transaction: others wait for their rows until all are written
# Of the transactions under way in a process, beside those of subjects that are waited for, the last one is awaited, and
# for so long: one at a time is shared by the most, and so costs the least.
TURNS_MAX = 3
TURN_SECONDS_MAX = 0.025
WAITING_MAX = 1_000
# Before a transaction begins, what has arrived already is read: rounds of the event loop, without a wait.
ROUNDS = 3

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

log = structlog.get_logger(__name__)


Shared: TypeAlias = Decided | Left
_Outcome: TypeAlias = Decision | UnderWay | asyncpg.Record | Left | None


class SharedWork(Protocol[T_contra]):
    """Decides several requests in one transaction, in their order; an answer for each.

    It uses ``Transaction.raw`` alone, puts off what it writes, and may run again after a deadlock. Where it does not
    ``wait`` it passes over rows that others have locked. What it leaves undecided must leave no trace.
    """

    def __call__(
        self, transaction: Transaction, requests: Sequence[T_contra], /, *, waits: bool
    ) -> Awaitable[Sequence[Shared]]: ...


class _Waiting(NamedTuple, Generic[T]):
    keyed: Keyed
    request: T
    context: Context  # a problem bears the id of its own request
    outcome: "asyncio.Future[_Outcome]"


class _Lane(Generic[T]):
    """Where requests stand for a turn."""

    def __init__(self, subject: Hashable | None) -> None:
        self.subject = subject
        self.turns = 0
        self.overdue = 0
        self.turns_max = 1 if self.waits else TURNS_MAX
        self.waiting: deque[_Waiting[T]] = deque()

    @property
    def waits(self) -> bool:
        """Whether its transactions wait for rows: those of one subject do."""
        return self.subject is not None

    @property
    def has_turn(self) -> bool:
        """Whether another transaction may begin."""
        return self.turns == self.overdue and self.turns < self.turns_max

    async def gather(self) -> list[_Waiting[T]]:
        """The next of them, with those that are being read at this moment."""
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
        return self._take()

    def _take(self) -> list[_Waiting[T]]:
        """In their order, each key once: one that came twice finds the answer in the next turn."""
        taken: dict[str, _Waiting[T]] = {}
        while self.waiting and len(taken) < REQUESTS_MAX:
            if self.waiting[0].keyed.lock in taken:
                break
            one = self.waiting.popleft()
            if not one.outcome.done():
                taken[one.keyed.lock] = one
        return list(taken.values())


class Sharing(Generic[T]):
    """Lets requests of one kind share transactions. ``subject_of`` names that for whose rows a request may wait."""

    def __init__(self, database: Database, work: SharedWork[T], subject_of: Callable[[T], Hashable]) -> None:
        self._database = database
        self._work = work
        self._subject_of = subject_of
        self._all: _Lane[T] = _Lane(None)
        self._lanes: dict[Hashable, _Lane[T]] = {}
        self._turns: set[asyncio.Task[None]] = set()
        self._waiting = 0

    async def answer(
        self, principal: Principal, key: KeyedRequest, payload: BaseModel | bytes | None, request: T
    ) -> Response | None:
        """The answer as ``idempotent`` gives it, or None: ask alone, under the same key.

        Raises:
            Problem: as ``idempotent`` does; 503 where ``WAITING_MAX`` requests stand for a turn.
        """
        if self._waiting >= WAITING_MAX:
            raise _too_many()
        waiting = _Waiting(
            Keyed.of(principal, key, payload), request, copy_context(), asyncio.get_running_loop().create_future()
        )
        self._put(waiting, self._lanes.get(self._subject_of(request), self._all))
        self._waiting += 1
        try:
            return _told(await waiting.outcome, waiting.keyed)
        except TurnedAwayError as turned:
            raise turned.problem from None
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Return when everything that stood for a turn has had it."""
        while self._turns:
            await asyncio.wait(self._turns)

    def _put(self, waiting: _Waiting[T], lane: _Lane[T]) -> None:
        lane.waiting.append(waiting)
        self._begin(lane)

    def _begin(self, lane: _Lane[T]) -> None:
        if lane.waiting and lane.has_turn:
            lane.turns += 1
            turn = asyncio.create_task(self._run(lane), context=Context())  # it is nobody's request
            self._turns.add(turn)
            turn.add_done_callback(self._turns.discard)

    async def _run(self, lane: _Lane[T]) -> None:
        """Take turn after turn until nobody waits there, or this one is overdue, so that another goes on."""
        is_overdue = False

        def be_overdue() -> None:
            nonlocal is_overdue
            is_overdue = True
            lane.overdue += 1
            self._begin(lane)

        while not is_overdue and (together := await lane.gather()):
            timer = asyncio.get_running_loop().call_later(TURN_SECONDS_MAX, be_overdue)
            await self._decide(lane, together)
            timer.cancel()
        lane.turns -= 1
        lane.overdue -= is_overdue
        self._begin(lane)
        if not lane.turns:
            self._lanes.pop(lane.subject, None)

    async def _decide(self, lane: _Lane[T], together: Sequence[_Waiting[T]]) -> None:
        SHARED_TRANSACTION_REQUESTS.observe(len(together))
        opening = Opening(
            OPEN_ALL,
            (
                [one.keyed.lock for one in together],
                [one.keyed.client_id for one in together],
                [one.keyed.key for one in together],
            ),
        )
        work = partial(self._in_transaction, together, waits=lane.waits)
        try:
            outcomes = await self._database.run_opened(opening, work)
        except Exception as error:  # noqa: BLE001 -- each of them is told, or asks alone and finds what is wrong
            _fail(together, error)
            return
        for one, outcome in zip(together, outcomes, strict=True):
            if outcome is Left.BUSY and not lane.waits:
                SHARED_REQUESTS.labels("busy").inc()
                subject = self._subject_of(one.request)
                self._put(one, self._lanes.setdefault(subject, _Lane(subject)))
            else:
                SHARED_REQUESTS.labels("alone" if isinstance(outcome, Left) else "shared").inc()
                _settle(one, outcome)

    async def _in_transaction(
        self, together: Sequence[_Waiting[T]], opened: Opened, *, waits: bool
    ) -> Sequence[_Outcome]:
        """What becomes of each; a record stands for an answer that it got before, None for a key that is in flight."""
        transaction = opened.transaction
        outcomes: list[_Outcome] = [found if found["is_ours"] else None for found in opened.rows]
        places = [
            place for place, found in enumerate(opened.rows) if found["is_ours"] and found["request_hash"] is None
        ]
        wanted = [together[place].request for place in places]
        answers = await self._work(transaction, wanted, waits=waits) if wanted else ()
        for place, answer in zip(places, answers, strict=True):
            one = together[place]
            if isinstance(answer, Left | UnderWay):
                outcomes[place] = answer
            else:
                outcomes[place] = one.context.run(Decision.of, one.keyed, answer)
        decisions = [outcome for outcome in outcomes if isinstance(outcome, Decision)]
        if decisions:
            transaction.later.append(saving(decisions, transaction.now))
        with meeting_records():
            await transaction.write_later()
        return outcomes


def _settle(one: _Waiting[T], outcome: _Outcome) -> None:
    if not one.outcome.done():  # whoever asked may have gone away
        one.outcome.set_result(outcome)


def _fail(together: Sequence[_Waiting[T]], error: Exception) -> None:
    """Of a transaction in which several were, each is asked alone. One who was alone in it is told the error, and so
    are all where none began."""
    SHARED_REQUESTS.labels("failed").inc(len(together))
    if len(together) > 1 and not isinstance(error, PoolTimeoutError):
        log.warning("a shared transaction failed: each of its requests is asked alone", exc_info=error)
        for one in together:
            _settle(one, Left.ALONE)
        return
    for one in together:
        if not one.outcome.done():
            one.outcome.set_exception(error)


def _told(outcome: _Outcome, keyed: Keyed) -> Response | None:
    match outcome:
        case Left():
            return None
        case Decision():
            return decided(outcome)
        case UnderWay():
            return under_way(outcome)
        case None:
            require_ours(is_ours=False)
            return None
        case stored:
            return replayed(stored, keyed.request_hash)


def _too_many() -> Problem:
    return Problem(
        503,
        "overloaded",
        f"More than {WAITING_MAX} such requests wait for their turn: try again in a second.",
        headers={"Retry-After": "1"},
    )
