"""Give points back that receipts have taken: to the lots that they came from, of everybody who gave some."""

from collections.abc import Sequence

from services.redemption.domain.giving_back import GiveBack
from services.redemption.repository import projections, refunds
from services.redemption.use_cases.messages import named, refunded_message
from services.redemption.use_cases.take_points import (
    Asked,
    given_back,
    giving_back,
    lives_until,
    own_balances,
    owners_of,
)
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import HeldSince, Outcome


async def give_back(
    transaction: Transaction, given: Sequence[GiveBack], held_since: HeldSince | None, came_back_days: int
) -> int:
    """Give these back, and tell it; gives how many points. What is owed for them is owed no more before anything goes
    back to a lot, so that this pays none of it; then what else their owners owe is cleared. Where a lot's time is over,
    the rest lives ``came_back_days`` more.

    The redemptions are locked, and nothing of this was given back before. Locks their owners and these owners' accounts
    in the ledger, each in key order to the commit.
    """
    if not given:
        return 0
    given = sorted(given, key=lambda one: one.points > one.debt_points)  # told in the order in which they are posted
    of = [named(one.redemption) for one in given]
    owners = {
        owner for one, (member_id, _) in zip(given, of, strict=True) for owner in owners_of(one.redemption, member_id)
    }
    await projections.lock_known_members(transaction, sorted(owners))
    until = lives_until(transaction, came_back_days)
    today = transaction.today or transaction.now.date()
    asked = [giving_back(one, *of_whom, today, until) for one, of_whom in zip(given, of, strict=True)]
    outcomes = await _posted(transaction, asked, held_since)
    results = [given_back(group, outcomes_of) for group, outcomes_of in zip(asked, outcomes, strict=True)]
    after = [
        (one.redemption.point_type, member_id, result.balance)
        for one, (member_id, _), result in zip(given, of, results, strict=True)
    ]
    balances = await own_balances(transaction, after)
    await refunds.save(transaction, given)
    await outbox.record(
        transaction,
        [
            refunded_message(transaction, one, result, balance)
            for one, result, balance in zip(given, results, balances, strict=True)
        ],
    )
    return sum(one.points for one in given)


async def _posted(
    transaction: Transaction, asked: Sequence[Sequence[Asked]], held_since: HeldSince | None
) -> list[list[Outcome]]:
    """The outcomes of each group, posted with what is owed first, of all of them."""
    placed = [(number, one.command) for number, group in enumerate(asked) for one in group]
    placed.sort(key=lambda one: not isinstance(one[1], ledger.RefundOwed))
    posted = await ledger.post(transaction, [command for _, command in placed], held_since=held_since)
    outcomes: list[list[Outcome]] = [[] for _ in asked]
    for (number, _), outcome in zip(placed, posted, strict=True):
        outcomes[number].append(outcome)
    return outcomes
