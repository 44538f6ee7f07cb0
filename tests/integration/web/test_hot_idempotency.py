"""One effect and one answer for one key where a route is hot, in as few round trips as it takes."""

import asyncio
from collections.abc import Callable
from typing import Any

from shared.database import Database, Transaction
from tests.support.databases import FreshDatabase
from tests.support.idempotent_holds import SERVICE, PointsGone, Scene, as_admin, idempotent_scene
from tests.support.until import until


async def test_a_hot_path_keeps_the_same_promises(scene: Scene) -> None:
    scene.is_hot = True

    async def again_while_in_flight() -> Any:
        answer = await scene.post("k-1")
        return answer if answer.status_code != 409 else None

    answers = await asyncio.gather(*(until(again_while_in_flight) for _ in range(30)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert (await scene.post("k-1", points=6)).status_code == 422

    async def refuse(_: Transaction) -> None:
        raise PointsGone("3 points are missing")

    async def crash(_: Transaction) -> None:
        raise ZeroDivisionError("a bug")

    scene.after_write = refuse
    assert [(await scene.post("k-2")).status_code for _ in range(2)] == [409, 409]
    scene.after_write = crash
    assert (await scene.post("k-3")).status_code == 500
    scene.after_write = None
    assert (await scene.post("k-2")).headers["idempotency-replayed"] == "true"
    assert (await scene.effects(), await scene.records()) == ([5], ["k-1", "k-2"])


async def test_a_request_that_is_cut_off_on_a_hot_path_leaves_nothing(scene: Scene) -> None:
    scene.is_hot = True
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


async def test_a_record_that_the_first_statement_did_not_see_is_met_when_ours_is_written(
    scene: Scene, fresh_database: FreshDatabase
) -> None:
    """The lock of a request that has just committed can be had by a statement that does not see its record yet."""
    scene.is_hot = True
    tries = 0

    async def decided_by_another(_: Transaction) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await as_admin(
                fresh_database,
                f"insert into {SERVICE}.idempotency select client_id, 'k-1', request_hash, status, 'first', created_at"
                f" from {SERVICE}.idempotency where idempotency_key = 'k-0'",
            )

    await scene.post("k-0")
    scene.after_write = decided_by_another
    answer = await scene.post("k-1")

    assert (answer.status_code, answer.content) == (201, b"first")
    assert answer.headers["idempotency-replayed"] == "true"
    assert (tries, await scene.effects()) == (1, [5])


async def test_plans_are_the_planners_again_after_a_hot_transaction(
    fresh_database: FreshDatabase, database_of: Callable[[str], Database]
) -> None:
    """What is said of plans ends with its transaction, however that ends: the connection goes back as it was."""
    database = database_of(SERVICE)
    seen: set[int] = set()

    async def look(transaction: Transaction) -> None:
        seen.add(await transaction.raw.fetchval("select pg_backend_pid()"))
        assert await transaction.raw.fetchval("show plan_cache_mode") == "force_generic_plan"

    async def look_and_refuse(transaction: Transaction) -> None:
        await look(transaction)
        raise PointsGone("3 points are missing")

    async def look_and_crash(transaction: Transaction) -> None:
        await look(transaction)
        raise ZeroDivisionError("a bug")

    async with idempotent_scene(fresh_database, database) as scene:
        scene.is_hot = True
        for number, step in enumerate((look, look_and_refuse, look_and_crash)):
            scene.after_write = step
            await scene.post(f"k-{number}")
            async with database.statements() as connection:
                seen.add(await connection.fetchval("select pg_backend_pid()"))
                assert await connection.fetchval("show plan_cache_mode") == "auto"
    assert len(seen) == 1  # the pool gives out the connection that was used last
