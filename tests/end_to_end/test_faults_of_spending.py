"""Redemption's processes die and sleep at chosen points while tills take points and receipts say so: each point is
accounted for, and whoever asks again is told the first answer. Each test ends with everything settled and reckoned.
"""

import asyncio
import signal

import pytest

from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from tests.support.stalled_commits import account_locked, commits_stall
from tests.support.till_play import TillPlay
from tests.support.until import until

pytestmark = pytest.mark.faults

API, WORKER = ServiceSpec("redemption", "api"), ServiceSpec("redemption", "worker")
UNTOLD = 4


async def test_tills_whose_answers_are_lost_at_the_commit_are_told_them_by_the_next_process(
    till_play: TillPlay, whole_stack: LocalStack
) -> None:
    told_late = till_play.tills.told_late
    async with commits_stall(whole_stack) as stalled:
        talking = till_play.start_round()
        await stalled.until_waits(API, UNTOLD)
        await asyncio.to_thread(whole_stack.kill, API)
    await talking

    assert till_play.tills.told_late >= told_late + UNTOLD
    await till_play.await_settled()
    await till_play.check()


async def test_a_worker_killed_in_a_transaction_and_one_killed_between_commit_and_offsets(
    till_play: TillPlay, whole_stack: LocalStack
) -> None:
    talking = till_play.start_round()
    for stalls in (account_locked(whole_stack, till_play.apart), commits_stall(whole_stack)):
        await asyncio.to_thread(whole_stack.await_ready, WORKER)  # what it commits while starting must not stall
        async with stalls as stalled:
            await till_play.pay_late()
            await stalled.until_waits(WORKER)
            await asyncio.to_thread(whole_stack.kill, WORKER)
    await talking

    await till_play.await_settled()
    await till_play.check()


async def test_a_worker_that_sleeps_through_its_session_writes_nothing_when_it_wakes(
    till_play: TillPlay, whole_stack: LocalStack
) -> None:
    """It sleeps at the first commit of several for one batch, so that the others are before it when it wakes."""
    documents = await till_play.talks.one_batch(till_play.apart)
    async with commits_stall(whole_stack) as stalled:
        await till_play.post(documents)
        sleeper = await stalled.until_waits(WORKER)
        sleeper.send(signal.SIGSTOP)
    talking = till_play.start_round()
    await asyncio.to_thread(whole_stack.start_service, "redemption", "worker", 2)
    await talking
    await till_play.await_settled()  # by the second worker, once the sleeper's session is over

    sleeper.send(signal.SIGCONT)
    await until(lambda: whole_stack.child(WORKER).pid != sleeper.pid)  # it finds itself replaced, and ends

    await till_play.await_settled()
    await till_play.check()
