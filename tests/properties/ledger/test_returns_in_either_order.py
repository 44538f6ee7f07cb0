"""A return's claw-back comes from accrual, its refund from redemption: whichever is first, the end is the same."""

from hypothesis import given, settings

from shared.ledger import Balances, ClawBack, Command, Refund, Reserve
from tests.support.ledger_histories import AWARDS, OWNERS, TERMS, histories
from tests.support.ledger_memory import MemoryLedger


@settings(max_examples=150)
@given(history=histories())
def test_balance_less_debt_does_not_depend_on_which_service_saw_a_return_first(history: list[Command]) -> None:
    ends = []
    holds = [command.hold_id for command in history if isinstance(command, Reserve)][:2]
    refunds: list[Command] = [Refund(OWNERS[0], "points", b"return", 2, hold_id, "fuel") for hold_id in holds]
    claw_back = ClawBack(OWNERS[0], "points", b"return", 9, TERMS[0], AWARDS[0])
    for later in ([claw_back, *refunds], [*refunds, claw_back], [*refunds[:1], claw_back, *refunds[1:]]):
        ledger = MemoryLedger()
        ledger.post(history)
        ledger.post(later)
        ends.append({key: worth(balance) for key, balance in ledger.balances().items()})
        assert all(not balance.debt or not balance.available for balance in ledger.balances().values())
    assert ends[0] == ends[1] == ends[2]


def worth(balance: Balances) -> tuple[int, int, int]:
    """What can be spent less what is owed; what is reserved; what waits."""
    return balance.available - balance.debt, balance.held, balance.pending
