"""Of a claw-back its owner keeps some points, having paid for them: it is as if they had not been asked for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ledger import ClawBack, Command, Posted, Refused
from shared.ledger.commands import ClawBackPolicy
from tests.support.ledger_histories import AWARDS, OWNERS, TERMS, histories
from tests.support.ledger_memory import MemoryLedger


@settings(max_examples=80)
@given(histories(), st.sampled_from(("debt", "clip", "refuse")), st.integers(1, 25), st.integers(0, 25))
def test_keeping_some_is_asking_for_less(
    history: list[Command], policy: ClawBackPolicy, points: int, kept: int
) -> None:
    kept = min(kept, points)
    less, some = MemoryLedger(), MemoryLedger()
    for ledger in (less, some):
        ledger.post(history)

    [answer] = some.post([ClawBack(OWNERS[0], "points", b"r", points, TERMS[0], AWARDS[0], policy, kept=kept)])
    if points > kept:
        [other] = less.post([ClawBack(OWNERS[0], "points", b"r", points - kept, TERMS[0], AWARDS[0], policy)])
        assert type(answer) is type(other)
        assert answer[1:] == other[1:]
    else:
        assert isinstance(answer, Posted | Refused)
        assert answer == Posted(answer.command, 0, answer.balance)
    assert some.balances() == less.balances()
    assert some.lots_with_points() == less.lots_with_points()
