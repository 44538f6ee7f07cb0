"""The gate before points leave, without a database: the deadline, and the ceiling."""

import asyncio
from typing import cast
from uuid import UUID

import pytest

from services.redemption.api.spend_gate import SpendGate, Wanted
from services.redemption.domain.confirming import (
    CODE_TRIES_MAX,
    Ceiling,
    Challenge,
    CodeExpiredError,
    CodeTriesUsedUpError,
    Opinion,
    Verdict,
    Wish,
)
from services.redemption.settings import RedemptionSettings
from services.redemption.use_cases.hold_points import Spender
from shared.database import Database
from shared.web import KeyedRequest
from tests.support.redemption import GROCER, NOON
from tests.support.registries import REQUIRED


class _Silent:
    """Fraud that never answers."""

    async def decide(self, _: Wish) -> Verdict:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("unreachable")


async def opinion(gate: SpendGate, points: int) -> Opinion:
    key = KeyedRequest("key", "POST", "/v1/redemptions", {})
    asked = await gate.ask(GROCER, key, b"", Spender(UUID(int=1)), Wanted("hold", "points", points))
    assert asked is not None
    return asked.opinion


@pytest.mark.parametrize("beyond", ["step_up", "deny"])
async def test_who_does_not_answer_in_time_leaves_it_to_the_ceiling(beyond: str) -> None:
    ceiling = Ceiling(100, "deny" if beyond == "deny" else "step_up")
    gate = SpendGate(cast("Database", None), fraud=_Silent(), deadline_seconds=0.001, ceiling=ceiling)
    assert await opinion(gate, 100) == Opinion(Verdict.ALLOW, "ceiling")
    assert await opinion(gate, 101) == Opinion(Verdict(beyond), "ceiling")


def test_a_challenge_is_used_by_its_code_alone_and_closes_after_five_others() -> None:
    challenge = Challenge(UUID(int=1), UUID(int=2), UUID(int=3), b"", "a", NOON)
    before = NOON.replace(hour=11)
    for wrong in range(CODE_TRIES_MAX):
        challenge.require_open(before)
        assert challenge.tried("123456", "123456", before).used_at == before
        challenge = challenge.tried("123457", "123456", before)
        assert challenge.tries_left == CODE_TRIES_MAX - wrong - 1
    with pytest.raises(CodeTriesUsedUpError):
        challenge.require_open(before)
    with pytest.raises(CodeExpiredError):
        Challenge(UUID(int=1), UUID(int=2), UUID(int=3), b"", "a", NOON).require_open(NOON)


def test_whoever_asks_fraud_has_a_key_for_codes() -> None:
    settings = REQUIRED | {"client_secret": "s"}
    assert RedemptionSettings.model_validate(settings).fraud_url is None
    with pytest.raises(ValueError, match="TESSERA_CODE_KEYS"):
        RedemptionSettings.model_validate(settings | {"fraud_url": "http://fraud"})
