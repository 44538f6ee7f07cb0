"""Keyed requests that share a transaction, on a real database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from fastapi import Response

from shared.database import Database, Transaction
from shared.database.later import Write
from shared.web import Answer, Body, KeyedRequest, Left, Principal, Problem, Shared, Sharing, sharing
from tests.support.databases import FreshDatabase
from tests.support.idempotent_holds import SERVICE, as_admin
from tests.support.until import until

CLIENT = Principal("client-1", None, frozenset())
SAVE = "insert into effects (said) select said from unnest($1::text[]) as told (said)"


class Said(Body):
    """An answer."""

    said: str


class Wish(NamedTuple):
    """What is asked: to have something said, of a subject."""

    says: str
    subject: str = "anything"


@dataclass
class Desk:
    """Decides what is asked together; ``together`` says of each transaction what was."""

    database: Database
    together: list[list[str]] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)  # who waits until it may go; without a name all do
    may_go: asyncio.Event = field(default_factory=asyncio.Event)
    is_broken: bool = False

    def __post_init__(self) -> None:
        self.sharing = Sharing(self.database, self._work, lambda wish: wish.subject)

    async def ask(self, says: str, *, subject: str = "anything", key: str | None = None) -> Response | None:
        """Ask for it under a key of its own."""
        request = KeyedRequest(key or says, "POST", "/said", {})
        return await self.sharing.answer(CLIENT, request, says.encode(), Wish(says, subject))

    async def until_begun(self, transactions: int) -> None:
        """Return when so many transactions are under way."""

        async def have_begun() -> bool:
            return len(self.together) >= transactions

        await until(have_begun)

    async def effects(self) -> list[str]:
        """What was said, in its order."""
        async with self.database.transaction() as transaction:
            return [row["said"] for row in await transaction.raw.fetch("select said from effects order by id")]

    async def _work(self, transaction: Transaction, wishes: Sequence[Wish], *, waits: bool) -> list[Shared]:
        self.together.append([wish.says for wish in wishes])
        if not self.hanging.isdisjoint({wish.says for wish in wishes}) or not self.hanging:
            await self.may_go.wait()
        if self.is_broken:
            raise ZeroDivisionError("a bug")
        shared = [self._shared(wish, waits=waits) for wish in wishes]
        done = [wish.says for wish, one in zip(wishes, shared, strict=True) if isinstance(one, Answer)]
        transaction.later.append(Write(SAVE, (done,)))
        return shared

    def _shared(self, wish: Wish, *, waits: bool) -> Shared:
        if wish.says == "alone":
            return Left.ALONE
        if wish.subject in self.busy and not waits:
            return Left.BUSY
        return Answer(201, Said(said=wish.says))


@pytest.fixture
async def desk(
    fresh_database: FreshDatabase, database_of: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setattr(sharing, "TURN_SECONDS_MAX", 60.0)  # a busy machine makes no difference
    table = f"create table {SERVICE}.effects (id bigint generated always as identity, said text not null)"
    await as_admin(fresh_database, table, f"grant all on {SERVICE}.effects to public")
    desk = Desk(database_of(SERVICE))
    desk.may_go.set()
    yield desk
    desk.may_go.set()
    await desk.sharing.close()


def body_of(response: Response | None) -> str:
    assert response is not None
    return bytes(response.body).decode()


async def test_what_is_ready_at_once_shares_and_is_answered_each_by_its_own(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.ask(name) for name in ("a", "b", "alone", "c")))
    again = await asyncio.gather(*(desk.ask(name) for name in ("a", "b", "alone", "c")))

    assert desk.together == [["a", "b", "alone", "c"], ["alone"]]
    assert answers[2] is again[2] is None
    assert [body_of(one) for one in answers if one] == ['{"said":"a"}', '{"said":"b"}', '{"said":"c"}']
    assert [one.headers["idempotency-replayed"] for one in again if one] == ["true"] * 3
    assert await desk.effects() == ["a", "b", "c"]


async def test_one_that_comes_alone_goes_at_once_and_who_comes_meanwhile_goes_together(desk: Desk) -> None:
    desk.may_go.clear()
    first = asyncio.create_task(desk.ask("first"))
    await desk.until_begun(1)
    others = [asyncio.create_task(desk.ask(name)) for name in ("second", "third")]
    await asyncio.sleep(0)
    desk.may_go.set()
    await asyncio.gather(first, *others)

    assert desk.together == [["first"], ["second", "third"]]


async def test_a_transaction_that_lasts_too_long_keeps_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "TURN_SECONDS_MAX", 0.0)
    desk.may_go.clear()
    desk.hanging = {"a", "c"}
    hanging = [asyncio.create_task(desk.ask("a"))]
    await desk.until_begun(1)

    assert body_of(await desk.ask("b")) == '{"said":"b"}'
    hanging.append(asyncio.create_task(desk.ask("c")))
    await desk.until_begun(3)
    assert body_of(await desk.ask("d")) == '{"said":"d"}'
    desk.may_go.set()
    await asyncio.gather(*hanging)
    assert body_of(await desk.ask("e")) == '{"said":"e"}'
    assert sorted(await desk.effects()) == ["a", "b", "c", "d", "e"]


async def test_a_key_that_comes_twice_at_once_is_decided_once(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.ask("a", key="k") for _ in range(3)), return_exceptions=True)

    in_flight = [one for one in answers if isinstance(one, Problem)]
    assert {one.slug for one in in_flight} <= {"idempotency-in-flight"}
    assert len(in_flight) < len(answers)
    assert body_of(await desk.ask("a", key="k")) == '{"said":"a"}'
    assert await desk.effects() == ["a"]
    with pytest.raises(Problem) as refused:
        await desk.ask("b", key="k")
    assert refused.value.slug == "idempotency-key-reused"


async def test_of_several_that_fall_together_each_is_asked_alone_and_one_alone_is_told_why(desk: Desk) -> None:
    desk.is_broken = True

    assert {*await asyncio.gather(desk.ask("a"), desk.ask("b"))} == {None}
    with pytest.raises(ZeroDivisionError):
        await desk.ask("c")
    desk.is_broken = False
    assert body_of(await desk.ask("c")) == '{"said":"c"}'
    assert await desk.effects() == ["c"]


async def test_those_of_a_busy_subject_wait_for_it_together_and_keep_nobody(desk: Desk) -> None:
    desk.busy = {"bert"}
    asked = [desk.ask("a"), desk.ask("b", subject="bert"), desk.ask("c", subject="bert"), desk.ask("d")]

    answers = await asyncio.gather(*asked)

    assert desk.together == [["a", "b", "c", "d"], ["b", "c"]]
    assert all(isinstance(one, Response) for one in answers)
    assert await desk.effects() == ["a", "d", "b", "c"]


async def test_who_has_gone_away_is_passed_over(desk: Desk) -> None:
    desk.may_go.clear()
    asked = [asyncio.create_task(desk.ask(name)) for name in ("a", "b")]
    await desk.until_begun(1)
    late = [asyncio.create_task(desk.ask(name)) for name in ("c", "d")]
    await asyncio.sleep(0)
    for one in (asked[0], late[0]):
        one.cancel()
    await asyncio.gather(asked[0], late[0], return_exceptions=True)
    desk.may_go.set()
    await asyncio.gather(asked[1], late[1])

    assert desk.together == [["a", "b"], ["d"]]
    assert await desk.effects() == ["a", "b", "d"]


async def test_beyond_the_bound_is_refused_and_what_waits_is_drained(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "WAITING_MAX", 2)
    desk.may_go.clear()
    asked = [asyncio.create_task(desk.ask(name)) for name in ("a", "b")]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await desk.ask("c")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")

    closing = asyncio.create_task(desk.sharing.close())
    await asyncio.sleep(0)
    assert not closing.done()
    desk.may_go.set()
    await closing
    assert [body_of(await one) for one in asked] == ['{"said":"a"}', '{"said":"b"}']
