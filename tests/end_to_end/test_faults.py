"""Real faults on a real stack while purchases flow: nothing lost, nothing doubled, balances as on paper.

The play goes on from test to test on one stack; each ends with everything decided and reckoned.
"""

import asyncio
import random

import pytest

from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from shared.events.catalogue import PURCHASES
from tests.support.play import Message, Play, new_play, slices, with_duplicates
from tests.support.until import until

pytestmark = pytest.mark.faults

WORKER = ServiceSpec("accrual", "worker")
MEMBERS = 300
KILLS = 20
PURCHASES_PER_KILL = 400
KILL_DELAY_SECONDS_MAX = 0.15
PROGRESS_SECONDS_MAX = 60.0
SEED = 20_261_122


@pytest.fixture(scope="module")
async def play(own_stack: LocalStack) -> Play:
    play = new_play(own_stack, MEMBERS)
    await play.begin()
    return play


async def test_the_worker_killed_at_twenty_random_points_loses_and_doubles_nothing(
    play: Play, own_stack: LocalStack
) -> None:
    choice = random.Random(SEED)
    feeding = asyncio.create_task(_feed(play, play.write(KILLS * PURCHASES_PER_KILL), choice))
    for _ in range(KILLS):
        await _await_progress(play)
        await asyncio.sleep(choice.uniform(0, KILL_DELAY_SECONDS_MAX))  # the point of the kill, not a wait
        await asyncio.to_thread(own_stack.kill, WORKER)
    await feeding

    await play.await_decided()
    await play.check()


async def test_the_broker_killed_and_restarted(play: Play, own_stack: LocalStack) -> None:
    await play.send(play.write(1_500))
    await _await_progress(play)

    await asyncio.to_thread(own_stack.kill_kafka)
    await asyncio.to_thread(own_stack.start_kafka)
    await play.send(play.write(1_500))

    await play.await_decided()
    await play.check()


async def test_the_database_killed_and_restarted(play: Play, own_stack: LocalStack) -> None:
    await play.send(play.write(1_500))
    await _await_progress(play)

    await asyncio.to_thread(own_stack.kill_postgres)
    await play.send(play.write(1_500))
    await asyncio.to_thread(own_stack.start_postgres)

    await play.await_decided()
    await play.check()


async def test_the_whole_topic_replayed_with_duplicates_changes_nothing(play: Play) -> None:
    choice = random.Random(SEED)
    before = len(play.posted)
    replayed: list[Message] = [(PURCHASES.topic, str(event.data.member_id), event) for event in play.posted.values()]

    await play.send(with_duplicates(replayed, choice))
    await play.send(play.write(100))  # what comes after them is decided after them, in every partition

    await play.await_decided()
    assert await play.count_awards() == before + 100
    await play.check()


async def _feed(play: Play, messages: list[Message], choice: random.Random) -> None:
    for portion in slices(with_duplicates(messages, choice), PURCHASES_PER_KILL):
        await play.send(portion)


async def _await_progress(play: Play) -> None:
    before = await play.count_awards()

    async def has_moved() -> bool:
        now = await play.count_awards()
        return now > before or now == len(play.posted)

    await until(has_moved, seconds_max=PROGRESS_SECONDS_MAX)
