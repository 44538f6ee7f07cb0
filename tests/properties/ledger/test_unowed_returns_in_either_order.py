"""Where nobody owes what a return cannot take: what is clipped or refused does not depend on the order either."""

from datetime import UTC, date, datetime
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ledger import Balances, Capture, ClawBack, Command, Earn, Outcome, Posted, Refund, Refused, Reserve
from shared.ledger.commands import ClawBackPolicy
from tests.support.ledger_histories import AWARDS, OWNERS, TERMS, histories
from tests.support.ledger_memory import MemoryLedger

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
LATER = date(2027, 1, 1)
HOLD = UUID(int=7)


@settings(max_examples=120)
@given(
    history=histories(),
    policy=st.sampled_from(("clip", "refuse")),
    points=st.integers(1, 30),
    has_expired=st.booleans(),
    lives_on=st.booleans(),
)
def test_what_is_clipped_or_refused_does_not_depend_on_which_service_saw_a_return_first(
    history: list[Command], policy: ClawBackPolicy, points: int, has_expired: bool, lives_on: bool
) -> None:
    """Parts of an award are asked one after the other; of what came back to lots that are over some lives on."""
    holds = [command.hold_id for command in history if isinstance(command, Reserve)][:2]
    until = LATER if lives_on else None
    refunds: list[Command] = [Refund(OWNERS[0], "points", b"return", 2, hold_id, "fuel", until) for hold_id in holds]
    parts: list[Command] = [
        ClawBack(OWNERS[0], "points", b"return", asked, terms, award, policy, BEGAN)
        for asked, terms, award in ((points, TERMS[0], AWARDS[0]), (points // 2 + 1, TERMS[2], AWARDS[1]))
    ]
    ends = []
    for first, then in (([*parts, *refunds], 2), ([*refunds, *parts], len(refunds)), ([*refunds[:1], *parts], 1)):
        ledger = MemoryLedger()
        ledger.post(history)
        ledger.today = date(2026, 5, 15) if has_expired else None
        answers = [*ledger.post(first[:then]), *ledger.post(first[then:])]
        if len(first) < len(parts) + len(refunds):
            answers += ledger.post(refunds[1:])
        ends.append((what_was_taken(answers), {key: worth(one) for key, one in ledger.balances_today().items()}))
    assert all(one == other for one, other in pairwise(ends))


def test_points_that_paid_for_goods_cover_nothing_that_the_goods_had_earned() -> None:
    """10 earned and 4 left of them, 20 come back: by either policy it is as if they came back afterwards."""
    earned, others = TERMS[0], TERMS[2]
    cases: tuple[tuple[ClawBackPolicy, int | None, int], ...] = (("clip", 4, 20), ("refuse", None, 24))
    for policy, takes, left in cases:
        for refund_first in (True, False):
            ledger = MemoryLedger()
            ledger.post(
                [
                    Earn(OWNERS[0], "points", b"before", 20, others),
                    Earn(OWNERS[0], "points", AWARDS[0], 10, earned),
                    Reserve(OWNERS[0], "points", b"hold", 26, HOLD),
                    Capture(OWNERS[0], "points", AWARDS[0], 26, HOLD, "grocer"),
                ]
            )
            back = ClawBack(OWNERS[0], "points", b"return", 10, earned, AWARDS[0], policy, BEGAN)
            refund = Refund(OWNERS[0], "points", b"return", 20, HOLD, "grocer")
            answers = ledger.post([refund]) + ledger.post([back]) if refund_first else ledger.post([back, refund])
            assert what_was_taken(answers) == [takes]
            assert ledger.balances()[OWNERS[0], "points"].available == left


def what_was_taken(answers: list[Outcome]) -> list[int | None]:
    """Of each claw-back how many points were taken; None where it was refused."""
    backs = [one for one in answers if isinstance(one.command, ClawBack)]
    assert all(isinstance(one, Posted | Refused) for one in backs)
    return [one.points if isinstance(one, Posted) else None for one in backs]


def worth(balance: Balances) -> tuple[int, int, int]:
    """What can be spent less what is owed; what is reserved; what waits."""
    return balance.available - balance.debt, balance.held, balance.pending
