"""Applies what fraud decided about awards: HOLD sets aside what is left of one, RELEASE gives it back.

A hold may come before its award. Both meet in the receipt's claim: whoever comes second finds the other.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from services.accrual.repository import award_parts, awards, claims, fraud_holds
from services.accrual.repository.award_parts import StoredPart
from services.accrual.repository.awards import StoredAward
from services.accrual.repository.fraud_holds import CLEARED_VERSION, FraudHold
from services.accrual.use_cases.lock_owners import lock_owners
from services.accrual.use_cases.messages import pending_message, released_message
from services.accrual.use_cases.part_commands import hold_commands, release_commands
from shared import ledger, outbox
from shared.database import Transaction
from shared.events.fraud import ClaimCleared, PointsHoldReleased, PointsHoldRequested
from shared.ledger import Command, Posted, Release, Suspend
from shared.receipt_key import natural_key_of

ENDED_PER_PASS_MAX = 200
CLAIM_CLEARED = "claim_cleared"


def hold_of(event: PointsHoldRequested | PointsHoldReleased | ClaimCleared) -> FraudHold:
    """The decision in an event of fraud's."""
    if isinstance(event, ClaimCleared):
        key = natural_key_of(event.data.receipt_id)
        return FraudHold(key, event.data.member_id, CLEARED_VERSION, "release", CLAIM_CLEARED, None)
    data = event.data
    if isinstance(event, PointsHoldRequested):
        return FraudHold(
            natural_key_of(data.receipt_id),
            data.member_id,
            data.version,
            "hold",
            event.data.rule_code,
            event.data.ends_at,
        )
    return FraudHold(natural_key_of(data.receipt_id), data.member_id, data.version, "release", event.data.reason, None)


async def apply_fraud_holds(transaction: Transaction, decisions: Sequence[FraudHold]) -> int:
    """Apply fraud's decisions; how many were news comes back.

    Idempotent: a decision that is not of a higher version than the one in force changes nothing. A hold takes what is
    left of the award; the part already spent or reserved is the event's shortfall.
    """
    newest: dict[bytes, FraudHold] = {}
    for decision in decisions:
        known = newest.get(decision.natural_key)
        if known is None or known.version < decision.version:
            newest[decision.natural_key] = decision
    await _lock(transaction, newest.values())
    news = await fraud_holds.save(transaction, list(newest.values()))
    await _move_points(transaction, [newest[key] for key in sorted(news)])
    return len(news)


async def end_due_holds(transaction: Transaction) -> int:
    """End the holds whose time has come, the oldest first, at most ``ENDED_PER_PASS_MAX``; how many comes back.

    The end is a release under the hold's own version: a later decision of fraud's still wins, and a hold that was
    prolonged meanwhile is left alone, because its row is read again under the claim's lock.
    """
    due = await fraud_holds.find_due(transaction, transaction.now, ENDED_PER_PASS_MAX)
    if not due:
        return 0
    await _lock(transaction, due)
    open_now = await fraud_holds.find_open(transaction, [hold.natural_key for hold in due])
    ended = [
        FraudHold(hold.natural_key, hold.member_id, hold.version, "release", "hold_ended", None)
        for hold in open_now.values()
        if hold.ends_at is not None and hold.ends_at <= transaction.now
    ]
    await fraud_holds.end(transaction, [hold.natural_key for hold in ended])
    await _move_points(transaction, ended)
    return len(ended)


async def _lock(transaction: Transaction, decisions: Collection[FraudHold]) -> None:
    """Lock the receipts' claims, then whoever has each receipt: it may have been moved from whom fraud names."""
    known = await claims.name(transaction, [decision.natural_key for decision in decisions])
    await lock_owners(transaction, {known[each.natural_key].owner_id or each.member_id for each in decisions})


async def _move_points(transaction: Transaction, decisions: Sequence[FraudHold]) -> None:
    """Move the points of those decisions whose receipts were awarded; the others are found by their award."""
    stored = await awards.lock_awards(transaction, [decision.natural_key for decision in decisions])
    today = transaction.today or transaction.now.date()
    asked = [(decision, *one) for decision in decisions for one in _commands(decision, stored, today)]
    if not asked:
        return
    were = {part for award in stored.values() for part in award.parts}
    due = [part for _, _, part in asked if part is not None and part not in were]
    if due:
        await award_parts.settle(transaction, due)
    outcomes = await ledger.post(transaction, [command for _, command, _ in asked])
    messages = []
    for (decision, _, part), outcome in zip(asked, outcomes, strict=True):
        if not isinstance(outcome, Posted):
            raise TypeError(f"the ledger refused {outcome.command}: holding and releasing are never refused")
        number = None if part is None else part.number
        if decision.action == "hold":
            messages.append(pending_message(transaction, decision, outcome, None, number))
        elif outcome.points:
            messages.append(released_message(transaction, decision.natural_key, decision.rule_code, outcome, number))
    await outbox.record(transaction, messages)


def _commands(
    decision: FraudHold, stored: Mapping[bytes, StoredAward], today: date
) -> Sequence[tuple[Command, StoredPart | None]]:
    award = stored.get(decision.natural_key)
    if award is None:
        return []
    key = award.natural_key
    if award.parts:
        return release_commands(award, today) if decision.action == "release" else hold_commands(award)
    if decision.action == "release":
        return [(Release(award.owner_id, award.point_type, key, award.terms, key), None)]
    left = award.points - award.taken_back
    return [(Suspend(award.owner_id, award.point_type, key, left, award.terms, key), None)] if left else []
