"""Real faults on a real stack while purchases flow and tills take points: nothing lost, nothing doubled, balances as on
paper.

The plays go on from test to test on one stack; each test ends with everything decided, settled and reckoned.
"""

import asyncio
import random

import pytest

from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from shared.events.catalogue import PURCHASES
from tests.support.play import Message, Play, slices, with_duplicates
from tests.support.till_play import TillPlay
from tests.support.until import until

pytestmark = pytest.mark.faults

WORKER = ServiceSpec("accrual", "worker")
SPENDING_WORKER, SPENDING_API = ServiceSpec("redemption", "worker"), ServiceSpec("redemption", "api")
KILLS = 20
KILLS_A_ROUND, KILLS_PER_KILL_OF_SPENDING = 10, 5
PURCHASES_PER_KILL = 400
KILL_DELAY_SECONDS_MAX = 0.15
PROGRESS_SECONDS_MAX = 60.0
SEED = 20_261_122


async def test_workers_and_an_api_killed_at_random_points_lose_and_double_nothing(
    play: Play, till_play: TillPlay, whole_stack: LocalStack
) -> None:
    choice = random.Random(SEED)
    feeding = asyncio.create_task(_feed(play, play.write(KILLS * PURCHASES_PER_KILL), choice))
    talking: list[asyncio.Task[None]] = []
    for kill in range(KILLS):
        if kill % KILLS_A_ROUND == 0:
            talking.append(till_play.start_round())
        await _await_progress(play)
        await asyncio.sleep(choice.uniform(0, KILL_DELAY_SECONDS_MAX))  # the point of the kill, not a wait
        await asyncio.to_thread(whole_stack.kill, WORKER)
        if kill % KILLS_PER_KILL_OF_SPENDING == 0:
            await asyncio.to_thread(whole_stack.kill, (SPENDING_WORKER, SPENDING_API)[kill % 2])
    await feeding
    await asyncio.gather(*talking)

    await _reckon(play, till_play)


async def test_the_broker_killed_and_restarted(play: Play, till_play: TillPlay, whole_stack: LocalStack) -> None:
    """Meanwhile tills go on, and a worker that has not told anybody yet what they did is killed."""
    await play.send(play.write(1_500))
    await _await_progress(play)

    talking = till_play.start_round()
    await asyncio.to_thread(whole_stack.kill_kafka)
    await till_play.await_untold()
    await asyncio.to_thread(whole_stack.kill, SPENDING_WORKER)
    await asyncio.to_thread(whole_stack.start_kafka)
    await play.send(play.write(1_500))
    await talking

    await _reckon(play, till_play)


async def test_the_database_killed_and_restarted(play: Play, till_play: TillPlay, whole_stack: LocalStack) -> None:
    talking = till_play.start_round()
    await play.send(play.write(1_500))
    await _await_progress(play)

    await asyncio.to_thread(whole_stack.kill_postgres)
    await play.send(play.write(1_500))
    await asyncio.to_thread(whole_stack.start_postgres)
    await talking

    await _reckon(play, till_play)


async def test_the_whole_topic_replayed_with_duplicates_changes_nothing(play: Play, till_play: TillPlay) -> None:
    choice = random.Random(SEED)
    before = len(play.posted)
    replayed: list[Message] = [(PURCHASES.topic, str(event.data.member_id), event) for event in play.posted.values()]

    await play.send(with_duplicates(replayed, choice))
    await till_play.post_everything_again()
    await play.send(play.write(100))  # what comes after them is decided after them, in every partition

    await play.await_decided()
    assert await play.count_awards() == before + 100
    await _reckon(play, till_play)


async def _reckon(play: Play, till_play: TillPlay) -> None:
    await play.await_decided()
    await till_play.await_settled()
    await play.check()
    await till_play.check()


async def _feed(play: Play, messages: list[Message], choice: random.Random) -> None:
    for portion in slices(with_duplicates(messages, choice), PURCHASES_PER_KILL):
        await play.send(portion)


async def _await_progress(play: Play) -> None:
    before = await play.count_awards()

    async def has_moved() -> bool:
        now = await play.count_awards()
        return now > before or now == len(play.posted)

    await until(has_moved, seconds_max=PROGRESS_SECONDS_MAX)
