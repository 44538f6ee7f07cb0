"""Plays that go on from test to test, on one stack that all that need a whole one share, and its programme."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from cli.bench.rules import RULES, publish_document
from deploy.local.stack import LocalStack

# Before they are imported: what is compared there is to be shown where it differs.
pytest.register_assert_rewrite(
    *(f"tests.support.{name}" for name in ("play", "till_play", "till_talks", "tills", "told_redemptions"))
)

from tests.support.play import Play, new_play  # noqa: E402
from tests.support.till_play import TillPlay, new_till_play  # noqa: E402

MEMBERS = 300
ROUNDS = 8
AT_ACME = {
    "id": "acme",
    "name": "A point a dollar",
    "condition": {"partners": ["acme"]},
    "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
}


@pytest.fixture(scope="session")
def whole_stack(own_stack: LocalStack) -> LocalStack:
    """With rules in force: those that come after the first ones would have to be told a minute ahead."""
    publish_document(own_stack, {"rules": [*RULES, AT_ACME]}, datetime.now(UTC) - timedelta(days=1))
    return own_stack


@pytest.fixture(scope="session")
async def play(whole_stack: LocalStack) -> Play:
    """Purchases that earn points."""
    play = new_play(whole_stack, MEMBERS)
    await play.begin()
    return play


@pytest.fixture(scope="session")
async def till_play(whole_stack: LocalStack) -> AsyncIterator[TillPlay]:
    """Tills that take points."""
    async with new_till_play(whole_stack) as till_play:
        await till_play.begin(ROUNDS)
        yield till_play
