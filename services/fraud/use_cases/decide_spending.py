"""Decide whether points may leave, and remember it: once an ask, by its id."""

from datetime import datetime

from services.fraud.domain.spending.asks import ASKS_WINDOW, Ask
from services.fraud.domain.spending.decide import decide_spend
from services.fraud.domain.spending.errors import DecisionIdTakenError
from services.fraud.domain.spending.rule_set import SpendRuleSet
from services.fraud.repository import identifier_times, merges, spend_decisions
from services.fraud.repository.spend_decisions import StoredSpendDecision
from shared.database import Transaction
from shared.database.engine import Opened, Opening
from shared.database.errors import StartAgainError


async def decide_spending(
    transaction: Transaction, ask: Ask, rule_set: SpendRuleSet, asked_at: datetime | None = None
) -> StoredSpendDecision:
    """The decision on an ask: the one that was made when it was asked first, whatever has happened since.

    Asks of one member are decided one after the other, so that of two at once the second sees the first. Of a member
    who was merged away the survivor's asks count. ``asked_at``: when it was asked, where that was not now.

    Raises:
        DecisionIdTakenError: the id stands for another ask; nothing was changed.
        StartAgainError: the member was merged away while its lock was waited for.
    """
    owner_id = (await merges.find_survivors(transaction, [ask.member_id])).get(ask.member_id, ask.member_id)
    await spend_decisions.lock(transaction, [owner_id])
    return await _decide_locked(transaction, ask._replace(member_id=owner_id), rule_set, asked_at)


def opening_for(ask: Ask) -> Opening:
    """What the transaction begins with in which ``decide_opened`` decides this ask."""
    return spend_decisions.opening(ask.member_id)


async def decide_opened(opened: Opened, ask: Ask, rule_set: SpendRuleSet) -> StoredSpendDecision:
    """The same, asked now, in a transaction that began with ``opening_for``: a till waits."""
    return await _decide_locked(opened.transaction, ask._replace(member_id=opened.row["owner_id"]), rule_set, None)


async def _decide_locked(
    transaction: Transaction, ask: Ask, rule_set: SpendRuleSet, asked_at: datetime | None
) -> StoredSpendDecision:
    spender = await identifier_times.find_spender(transaction, ask.member_id)
    if spender.is_merged:
        raise StartAgainError("the member was merged away meanwhile")
    stored = await spend_decisions.find(transaction, ask.decision_id)
    if stored is not None:
        if stored.ask != ask:
            raise DecisionIdTakenError
        return stored
    before = await spend_decisions.load_earlier(transaction, ask, (asked_at or transaction.now) - ASKS_WINDOW)
    # Whoever waited for the lock began before those that it waited for: in the order of asking it comes after them.
    at = asked_at or max([transaction.now, *(earlier.asked_at for earlier in before)])
    changes = spender.identifier_changed_at, spender.contact_changed_at
    decision = decide_spend(ask, before, at, rule_set, *changes)
    decided = StoredSpendDecision(ask, decision, rule_set.version, at, decided_at=transaction.now)
    if not await spend_decisions.save(transaction, decided):
        raise DecisionIdTakenError  # another member's, who asked under it at the same moment
    return decided
