"""The property that holds in memory, on the real thing: any batching agrees with paper, and the ledger verifies."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from hypothesis import HealthCheck, given, settings

from shared.database import Database
from shared.ids import new_id
from shared.ledger import Command
from shared.ledger.commands import LOTS_PER_HOLD_MAX
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import balances_of, holds_of, lots_of, owed_of, owners_of, posted, verified
from tests.support.ledger_histories import KINDS, cut, cuts, histories, renamed
from tests.support.ledger_model import PaperLedger


# One database serves all examples: each takes owners and holds that nobody else has.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), sizes=cuts())
async def test_any_batching_agrees_with_paper(
    history: list[Command],
    sizes: list[int],
    database_of: Callable[[str], Database],
    fresh_database: FreshDatabase,
) -> None:
    services = [database_of("accrual"), database_of("redemption")]
    commands = _renamed(history)
    paper = PaperLedger(LOTS_PER_HOLD_MAX)
    expected = [paper.post(command) for command in commands]
    outcomes = []
    for number, batch in enumerate(cut(commands, sizes)):
        outcomes += await posted(services[number % 2], *batch)  # either service, as it comes
    owners = owners_of(commands)
    assert outcomes == expected
    assert await balances_of(services[0], owners) == paper.balances()
    assert await lots_of(services[0], owners) == paper.lots()
    assert await holds_of(services[0], owners) == paper.holds()
    assert await owed_of(services[0], owners) == paper.owed()
    for service in services:
        await service.close()
    verification = await verified(fresh_database)
    assert verification.findings == ()
    assert verification.accounts >= len(owners)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(kinds=KINDS), sizes=cuts())
async def test_owners_in_parallel_end_as_one_after_the_other(
    history: list[Command],
    sizes: list[int],
    database_of: Callable[[str], Database],
    fresh_database: FreshDatabase,
) -> None:
    """Each owner's commands stay in order; which owner comes when does not matter."""
    service = database_of("accrual")
    commands = _renamed(history)
    paper = PaperLedger(LOTS_PER_HOLD_MAX)
    for command in commands:
        paper.post(command)

    async def play(owner: UUID) -> None:
        for batch in cut([command for command in commands if command.owner_id == owner], sizes):
            await posted(service, *batch)

    owners = owners_of(commands)
    await asyncio.gather(*(play(owner) for owner in owners))
    assert await balances_of(service, owners) == paper.balances()
    assert await lots_of(service, owners) == paper.lots()
    await service.close()
    assert (await verified(fresh_database)).findings == ()


def _renamed(history: list[Command]) -> list[Command]:
    names: dict[UUID, UUID] = {}
    return [renamed(command, lambda name: names.setdefault(name, new_id())) for command in history]
