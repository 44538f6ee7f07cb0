"""Nobody owes a little that is lacking of a purchase: below its bound, however claw-backs are cut into batches."""

from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ledger import (
    Balances,
    ClawBack,
    Command,
    Earn,
    Forgiving,
    LotTerms,
    Posted,
    Refund,
    Refused,
    Reserve,
    SpendLate,
)
from shared.ledger.commands import ClawBackPolicy
from tests.support.ledger_histories import AWARDS, OWNERS, histories
from tests.support.ledger_histories import TERMS as LOTS
from tests.support.ledger_memory import MemoryLedger

ANNA = UUID(int=1)
TERMS = LotTerms("grocer", date(2026, 1, 1), date(2027, 1, 1))
PURCHASE, OTHER = b"purchase", b"other"

# What happens to one balance: points are earned, spent, or taken back of one of two purchases, also as the first one is
# corrected.
steps = st.lists(
    st.tuples(st.sampled_from(["earn", "spend", "back", "back", "other", "correct"]), st.integers(1, 6)),
    min_size=1,
    max_size=12,
)


class End(NamedTuple):
    """How it ends, and what was forgiven and owed for each claw-back."""

    balance: Balances
    left: list[tuple[int, int]]


@given(steps, st.integers(2, 12), st.sets(st.integers(1, 11)))
def test_no_more_than_its_bound_is_forgiven_of_a_purchase_however_batches_are_cut(
    history: list[tuple[str, int]], below: int, cuts: set[int]
) -> None:
    ends = [play(history, below, where) for where in (set(range(len(history))), cuts, set())]

    assert ends[0] == ends[1] == ends[2] == on_paper(history, below)


@settings(max_examples=100)
@given(histories(), st.sampled_from(("debt", "refuse")), st.integers(1, 30), st.integers(2, 20), st.integers(0, 5))
def test_what_is_forgiven_does_not_depend_on_which_service_saw_a_return_first(
    history: list[Command], policy: ClawBackPolicy, points: int, below: int, lacked: int
) -> None:
    """What the return gives back covers nothing of what may be forgiven, whether it is there before or not."""
    holds = [command.hold_id for command in history if isinstance(command, Reserve)][:2]
    refunds: list[Command] = [Refund(OWNERS[0], "points", b"return", 2, hold_id, "fuel") for hold_id in holds]
    forgiving = Forgiving(PURCHASE, below, lacked)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    parts: list[Command] = [
        ClawBack(OWNERS[0], "points", b"return", asked, terms, award, policy, began, forgiving)
        for asked, terms, award in ((points, LOTS[0], AWARDS[0]), (points // 2 + 1, LOTS[2], AWARDS[1]))
    ]
    ends = []
    for batches in ([[*parts, *refunds]], [refunds, parts], [refunds[:1], parts, refunds[1:]]):
        ledger = MemoryLedger()
        ledger.post(history)
        answers = [one for batch in batches for one in ledger.post(batch) if isinstance(one.command, ClawBack)]
        told = [None if isinstance(one, Refused) else (one.shortfall, one.lacking) for one in answers]
        ends.append((told, [(one.available - one.debt, one.pending) for one in ledger.balances().values()]))
    assert ends[0] == ends[1] == ends[2]


def play(history: list[tuple[str, int]], below: int, cuts: set[int]) -> End:
    """In one posting between two cuts; a correction is always alone in its own. What was lacking is counted after each,
    as the caller's rows do.
    """
    ledger = MemoryLedger()
    lacked = {PURCHASE: 0, OTHER: 0}
    left: list[tuple[int, int]] = []
    batch: list[Command] = []
    for place, (what, points) in enumerate(history):
        if place in cuts or "correct" in (what, history[place - 1][0] if place else None):
            left += post(ledger, batch, lacked)
            batch = []
        batch.append(command(what, points, b"%d" % place, below, lacked))
    left += post(ledger, batch, lacked)
    return End(ledger.balances()[ANNA, "points"], left)


def post(ledger: MemoryLedger, batch: list[Command], lacked: dict[bytes, int]) -> list[tuple[int, int]]:
    left = []
    for outcome in ledger.post(batch):
        if isinstance(outcome, Posted) and isinstance(outcome.command, ClawBack):
            owed = outcome.debt_added - outcome.debt_cleared
            is_correction = outcome.command.forgiving is None
            lacked[outcome.command.award] += owed + outcome.shortfall if is_correction else outcome.lacking
            left.append((outcome.shortfall, owed))
    return left


def command(what: str, points: int, reference: bytes, below: int, lacked: dict[bytes, int]) -> Command:
    match what:
        case "earn":
            return Earn(ANNA, "points", reference, points, TERMS)
        case "spend":
            return SpendLate(ANNA, "points", reference, points, "fuel")
        case "correct":
            return ClawBack(ANNA, "points", reference, points, TERMS, PURCHASE)
        case _:
            purchase = PURCHASE if what == "back" else OTHER
            forgiving = Forgiving(purchase, below, lacked[purchase])
            return ClawBack(ANNA, "points", reference, points, TERMS, purchase, forgiving=forgiving)


def on_paper(history: list[tuple[str, int]], below: int) -> End:
    """The same with two numbers and a sum for each purchase."""
    available = debt = 0
    lacked = {"back": 0, "other": 0}
    forgiven = {"back": 0, "other": 0}
    left: list[tuple[int, int]] = []
    for what, points in history:
        if what == "earn":
            paid = min(points, debt)
            available, debt = available + points - paid, debt - paid
        elif what == "spend":
            available -= min(points, available)
        else:
            lacking = max(0, points - available)
            available -= points - lacking
            of = "back" if what == "correct" else what
            lacked[of] += lacking
            is_forgiven = lacked[of] < below and what != "correct"
            forgiven[of] += lacking if is_forgiven else 0
            debt += 0 if is_forgiven else lacking
            left.append((lacking, 0) if is_forgiven else (0, lacking))
    assert max(forgiven.values()) < below
    return End(Balances(available, 0, 0, debt), left)
