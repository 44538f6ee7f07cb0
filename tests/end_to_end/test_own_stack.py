"""The stack that fault tests get: every part can be taken away and comes back."""

import asyncio

import httpx2
import pytest

from deploy.local.services import FLEET, ServiceSpec
from deploy.local.stack import LocalStack

ACCRUAL_WORKER = ServiceSpec("accrual", "worker")

pytestmark = pytest.mark.faults


async def test_every_part_can_be_killed_and_comes_back(own_stack: LocalStack) -> None:
    def break_and_mend() -> None:
        before = own_stack.child(ACCRUAL_WORKER).pid
        own_stack.kill(ACCRUAL_WORKER)
        own_stack.kill_postgres()
        own_stack.start_postgres()
        own_stack.kill_kafka()
        own_stack.start_kafka()
        own_stack.await_ready(*FLEET)
        assert own_stack.child(ACCRUAL_WORKER).pid != before

    await asyncio.to_thread(break_and_mend)
    assert not own_stack.failed.is_set()


async def test_the_stacks_own_client_may_ask_every_service(own_stack: LocalStack) -> None:
    headers = {"Authorization": f"Bearer {await asyncio.to_thread(own_stack.token)}"}
    async with httpx2.AsyncClient(headers=headers) as client:
        answer = await client.get(f"{own_stack.url('coalition')}/v1/partners")
        refused = await client.get(f"{own_stack.url('coalition')}/v1/partners", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 200
    assert refused.status_code == 401
