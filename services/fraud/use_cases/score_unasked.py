"""Score afterwards what left while fraud did not answer."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid5

from services.fraud.domain.spending.asks import Ask, Place, Verdict
from services.fraud.domain.spending.errors import DecisionIdTakenError
from services.fraud.domain.spending.rule_set import SpendRuleSet
from services.fraud.repository import merges, spend_decisions
from services.fraud.repository.spend_decisions import StoredSpendDecision, Went, WentBy
from services.fraud.use_cases import announcements
from services.fraud.use_cases.decide_spending import decide_spending
from shared.database import Transaction
from shared.events.redemptions import PointsGifted, RedemptionHeld
from shared.outbox import record

# Whoever went without our answer is told of; what a member confirmed while we did not answer counts for later asks.
BY_CEILING: Final = "ceiling"
CONFIRMED: Final[tuple[WentBy, ...]] = ("code", "pin")


async def score_unasked(
    transaction: Transaction, events: Sequence[RedemptionHeld | PointsGifted], rule_set: SpendRuleSet
) -> list[StoredSpendDecision]:
    """Decide what a ceiling let go, as of when it went, and tell of what would not have been allowed. What the member
    confirmed is decided, if it was not, and not told of.

    Idempotent, by the ask's id: a decision that was made but came too late for the till is kept to, and each is told of
    once. Members are locked in the order of their ids. Later asks that were decided without these stay as they are. Of
    every decision whose points were let go that is noted, whoever let them.
    """
    went = [
        Went(event.data.decision_id, event.time, "fraud")
        for event in events
        if event.data.decided_by == "fraud" and event.data.decision_id
    ]
    unasked = [
        event for event in events if event.data.decided_by in (BY_CEILING, *CONFIRMED) and event.data.decision_id
    ]
    if not unasked:
        if went:
            await spend_decisions.note_went(transaction, went)
        return []
    owners = {event.data.member_id for event in unasked}
    survivors = await merges.find_survivors(transaction, owners)
    await spend_decisions.lock(transaction, {survivors.get(owner, owner) for owner in owners})
    scored, messages = [], []
    for event in unasked:
        decided = await _decide(transaction, event, rule_set)
        went.append(Went(decided.ask.decision_id, event.time, _by(event)))
        if event.data.decided_by in CONFIRMED:
            continue
        if not await spend_decisions.mark_unasked(transaction, decided.ask.decision_id):
            continue
        scored.append(decided)
        if decided.decision.verdict is not Verdict.ALLOW:
            messages.append(announcements.spend_flagged(decided, _subject(event), transaction.now, event.traceparent))
    await spend_decisions.note_went(transaction, went)
    if messages:
        await record(transaction, messages)
    return scored


async def _decide(
    transaction: Transaction, event: RedemptionHeld | PointsGifted, rule_set: SpendRuleSet
) -> StoredSpendDecision:
    ask = ask_of(event)
    try:
        return await decide_spending(transaction, ask, rule_set, event.time)
    except DecisionIdTakenError:  # of two requests under one key the other reached us: this one gets an id of its own
        ask = ask._replace(decision_id=uuid5(ask.decision_id, str(_subject(event))))
        return await decide_spending(transaction, ask, rule_set, event.time)


def _by(event: RedemptionHeld | PointsGifted) -> WentBy:
    return next((by for by in CONFIRMED if by == event.data.decided_by), BY_CEILING)


def ask_of(event: RedemptionHeld | PointsGifted) -> Ask:
    """What would have been asked."""
    data = event.data
    if data.decision_id is None:
        raise AssertionError("unreachable: only those with an id are scored")
    if isinstance(event, RedemptionHeld):
        place = Place(event.data.partner_id, event.data.store_id)
        return Ask(data.decision_id, "hold", data.member_id, data.point_type, data.points, place)
    return Ask(data.decision_id, "gift", data.member_id, data.point_type, data.points)


def _subject(event: RedemptionHeld | PointsGifted) -> UUID:
    return event.data.redemption_id if isinstance(event, RedemptionHeld) else event.data.gift_id
