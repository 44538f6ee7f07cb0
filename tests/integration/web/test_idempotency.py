"""One effect and one answer for one key, on a real database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.database import Transaction
from shared.web import Answer, Problem, ProblemAnswer, UnderWay, forget_answers
from shared.web.idempotency import ANSWERS_KEPT, FORGET_ROWS_MAX
from tests.support.databases import FreshDatabase
from tests.support.idempotent_holds import SERVICE, ComesLater, HoldAnswer, PointsGone, Scene, as_admin
from tests.support.until import until


async def test_a_repeated_request_has_one_effect_and_one_answer(scene: Scene) -> None:
    first = await scene.post("k-1")
    second = await scene.post("k-1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["content-type"] == first.headers["content-type"] == "application/json"
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await scene.effects() == [5]


@pytest.mark.parametrize(
    ("key", "slug"),
    [
        (None, "idempotency-key-missing"),
        ("", "idempotency-key-missing"),
        ("   ", "idempotency-key-missing"),
        ("x" * 129, "idempotency-key-malformed"),
        ("tab\tinside", "idempotency-key-malformed"),
    ],
)
async def test_a_key_that_is_missing_or_malformed_is_400(scene: Scene, key: str | None, slug: str) -> None:
    answer = await scene.post(key)

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (400, slug)
    assert await scene.effects() == []


async def test_the_key_with_another_request_is_422(scene: Scene) -> None:
    await scene.post("k-1")

    for other in (
        await scene.post("k-1", points=6),
        await scene.post("k-1", reason="x"),
        await scene.post("k-1", path="h-2"),
        await scene.post("k-1", path="h-1?note=x"),
    ):
        assert (other.status_code, other.json()["type"][-22:]) == (422, "idempotency-key-reused")
    assert await scene.effects() == [5]
    assert (await scene.post("k-1")).status_code == 201


async def test_spaces_and_the_order_of_fields_are_the_same_request(scene: Scene) -> None:
    headers = {
        "Authorization": f"Bearer {scene.issuer.token('holds:write')}",
        "Idempotency-Key": "k-1",
        "Content-Type": "application/json",
    }
    await scene.client.post("/v1/holds/h-1", content=b'{"points": 5, "reason": "a"}', headers=headers)
    again = await scene.client.post("/v1/holds/h-1", content=b'{"reason":"a","points":5}', headers=headers)

    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")


async def test_clients_do_not_share_keys(scene: Scene) -> None:
    await scene.post("k-1", points=1, sub="client-1")
    other = await scene.post("k-1", points=2, sub="client-2")

    assert other.status_code == 201
    assert await scene.effects() == [1, 2]


async def test_two_at_once_have_one_effect_and_the_second_is_told_to_wait(scene: Scene) -> None:
    is_inside, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: Transaction) -> None:
        is_inside.set()
        await may_go_on.wait()

    scene.after_write = wait
    first = asyncio.create_task(scene.post("k-1"))
    await is_inside.wait()

    second = await scene.post("k-1")
    unrelated = asyncio.create_task(scene.post("k-2", points=7))
    may_go_on.set()

    assert (await first).status_code == 201
    assert (await unrelated).status_code == 201
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    assert second.json()["type"].endswith("/idempotency-in-flight")
    assert sorted(await scene.effects()) == [5, 7]
    assert (await scene.post("k-1")).headers["idempotency-replayed"] == "true"


async def test_many_at_once_have_one_effect(scene: Scene) -> None:
    async def again_while_in_flight() -> Any:
        answer = await scene.post("k-1")
        return answer if answer.status_code != 409 else None

    answers = await asyncio.gather(*(until(again_while_in_flight) for _ in range(30)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await scene.effects() == [5]


async def test_a_fault_leaves_neither_effect_nor_record(scene: Scene) -> None:
    async def crash(_: Transaction) -> None:
        raise ZeroDivisionError("a bug")

    scene.after_write = crash
    assert (await scene.post("k-1")).status_code == 500
    assert (await scene.effects(), await scene.records()) == ([], [])

    scene.after_write = None
    assert (await scene.post("k-1", points=9)).status_code == 201  # nothing was decided, so the key is free


async def test_a_request_that_is_cut_off_leaves_neither_effect_nor_record(scene: Scene) -> None:
    is_inside = asyncio.Event()

    async def hang(_: Transaction) -> None:
        is_inside.set()
        await asyncio.Event().wait()

    scene.after_write = hang
    request = asyncio.create_task(scene.post("k-1"))
    await is_inside.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)

    scene.after_write = None
    assert (await scene.effects(), await scene.records()) == ([], [])
    assert (await scene.post("k-1")).status_code == 201


async def test_an_outage_is_not_an_answer(scene: Scene) -> None:
    async def away(_: Transaction) -> None:
        raise Problem(503, "broker-away", "Try again.", headers={"Retry-After": "1"})

    scene.after_write = away
    assert (await scene.post("k-1")).status_code == 503
    assert (await scene.effects(), await scene.records()) == ([], [])


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(PointsGone("3 points are missing"), 409), (Problem(422, "too-many-lots", "Ask for less."), 422)],
)
async def test_a_refusal_is_the_answer_and_leaves_no_write(scene: Scene, refusal: Exception, status: int) -> None:
    async def refuse(_: Transaction) -> None:
        raise refusal

    scene.after_write = refuse
    first = await scene.post("k-1")
    scene.after_write = None
    second = await scene.post("k-1")  # would succeed now, and must not

    assert (first.status_code, second.status_code) == (status, status)
    assert second.content == first.content
    assert second.headers["content-type"] == "application/problem+json"
    assert second.headers["idempotency-replayed"] == "true"
    assert (await scene.effects(), await scene.records()) == ([], ["k-1"])


@pytest.mark.parametrize("is_hot", [False, True])
@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Problem(404, "unknown-member", "Nobody is known by this."), 404),
        (ComesLater("the member is not known here yet"), 409),
        (Problem(422, "invalid-request", "/partner_id: not told of yet", headers={"Retry-After": "5"}), 422),
    ],
)
async def test_a_refusal_that_may_pass_is_not_the_keys_answer(
    scene: Scene, refusal: Exception, status: int, is_hot: bool
) -> None:
    """What is not there may come any moment: a till that tries again under the same key is not refused for ever."""

    async def refuse(_: Transaction) -> None:
        raise refusal

    scene.is_hot, scene.after_write = is_hot, refuse
    first = await scene.post("k-1")
    assert (first.status_code, await scene.effects(), await scene.records()) == (status, [], [])
    assert status == 404 or int(first.headers["retry-after"]) > 0

    scene.after_write = None
    again = await scene.post("k-1")
    assert (again.status_code, await scene.effects()) == (201, [5])
    assert (await scene.post("k-1")).headers["idempotency-replayed"] == "true"


async def test_an_answer_under_way_keeps_its_writes_and_not_the_key(scene: Scene) -> None:
    refusal = Problem(409, "member-merged", "Ask again in a moment.", headers={"Retry-After": "5"})
    scene.answers = [UnderWay(ProblemAnswer(refusal))]

    first = await scene.post("k-1")
    assert (first.status_code, first.headers["retry-after"]) == (409, "5")
    assert (await scene.effects(), await scene.records()) == ([5], [])
    assert (await scene.post("k-1")).status_code == 201


async def test_a_refusal_that_is_returned_keeps_its_writes(scene: Scene) -> None:
    scene.answers = [ProblemAnswer(Problem(409, "step-up-required", "Ask for the PIN."))]
    first = await scene.post("k-1")
    second = await scene.post("k-1")

    assert (first.status_code, second.status_code) == (409, 409)
    assert second.content == first.content
    assert await scene.effects() == [5]


async def test_a_refusal_does_not_overrule_what_was_decided_in_between(scene: Scene) -> None:
    """The refused transaction lets go of the key before its refusal is stored; here another one decides in the gap."""
    run = scene.database.run
    runs = 0

    async def run_with_a_gap(work: Callable[[Transaction], Awaitable[Any]]) -> Any:
        nonlocal runs
        runs += 1
        if runs == 2:
            scene.after_write = None
            assert (await scene.post("k-1")).status_code == 201
        return await run(work)

    async def refuse(_: Transaction) -> None:
        raise Problem(409, "too-late", "Too late.", headers={"X-Refused": "yes"})

    scene.after_write = refuse
    scene.database.run = run_with_a_gap  # type: ignore[method-assign]  # only so can the gap be met on purpose
    answer = await scene.post("k-1")

    assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, "true")
    assert "x-refused" not in answer.headers
    assert await scene.effects() == [5]


async def test_an_empty_answer_and_a_list_are_replayed_too(scene: Scene) -> None:
    scene.answers = [Answer(204), Answer(200, [HoldAnswer(points=1, effects=2)])]

    assert (await scene.post("k-1")).status_code == 204
    again = await scene.post("k-1")
    assert (again.status_code, again.content) == (204, b"")
    assert (await scene.post("k-2")).json() == [{"points": 1, "effects": 2}]
    assert (await scene.post("k-2")).json() == [{"points": 1, "effects": 2}]


async def test_a_deadlock_is_tried_again_and_has_one_effect(scene: Scene) -> None:
    tries = 0

    async def deadlock_once(transaction: Transaction) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await transaction.raw.execute("do $$ begin raise exception using errcode = '40P01'; end $$")

    scene.after_write = deadlock_once

    assert (await scene.post("k-1")).status_code == 201
    assert tries == 2
    assert await scene.effects() == [5]


async def test_old_answers_are_forgotten_page_by_page_in_business_time(
    scene: Scene, fresh_database: FreshDatabase
) -> None:
    await scene.post("k-new")
    await as_admin(
        fresh_database,
        f"insert into {SERVICE}.idempotency select 'c', n::text, '', 200, '', now() - interval '8 days' "
        f"from generate_series(1, {FORGET_ROWS_MAX + 1}) as n",
    )

    assert [await scene.database.run(forget_answers) for _ in range(3)] == [FORGET_ROWS_MAX, 1, 0]
    assert await scene.records() == ["k-new"]

    days = int(ANSWERS_KEPT / timedelta(days=1)) + 1
    await as_admin(
        fresh_database,
        f"insert into platform.business_clock (clock_offset) values (interval '{days} days') "
        f"on conflict (singleton) do update set clock_offset = excluded.clock_offset",
    )
    assert await scene.database.run(forget_answers) == 1
    assert (await scene.post("k-new")).status_code == 201
