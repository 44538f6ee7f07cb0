"""Receipts that a till voided: the sale never was, so nothing of it is paid with points, and what was comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.redemption.domain.voiding import GiveBack, ReceiptVoid
from services.redemption.repository import projections, receipts, redemptions, refunds, voided_receipts
from services.redemption.use_cases.messages import named, refunded_message
from services.redemption.use_cases.take_points import given_back, giving_back, lives_until, own_balances, owners_of
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import HeldSince


async def void_receipts(
    transaction: Transaction,
    voids: Sequence[ReceiptVoid],
    *,
    held_since: HeldSince | None = None,
    came_back_days: int = 0,
) -> int:
    """Let voided receipts take nothing more, and give back what they have taken; gives how many points went back.

    A tender that waits is dropped, one that comes later is disregarded, and a hold that is open is let go by the till
    or by time. What was captured goes back to the lots that it came from, with their own dates, of everybody who gave
    some, and clears what they owe; where a lot's time is over, the rest lives ``came_back_days`` more. A void that
    names another total than the receipt's is of another receipt, and does nothing here. Idempotent: what a receipt has
    taken goes back once, whatever void says so, in whatever order they come. Locks receipts and voids, then
    redemptions, then their owners and these owners' accounts in the ledger, each in key order to the commit: call it
    once a transaction, and nothing else that moves points.
    """
    if not voids:
        return 0
    traceparents = {void.receipt_key: void.traceparent for void in voids}
    await receipts.meet_receipts(transaction, {key for void in voids for key in (void.void_key, void.receipt_key)})
    await voided_receipts.keep(transaction, voids)
    found = await voided_receipts.find_standing(transaction, traceparents)
    standing = {key: replace(void, traceparent=traceparents[key]) for key, void in found.items() if void is not None}
    await voided_receipts.stop_waiting(transaction, standing)
    return await _give_back(transaction, standing, held_since, came_back_days)


async def _give_back(
    transaction: Transaction,
    standing: Mapping[bytes, ReceiptVoid],
    held_since: HeldSince | None,
    came_back_days: int,
) -> int:
    taken = await refunds.find_not_given(transaction, standing)
    if not taken:
        return 0
    locked = await redemptions.lock_redemptions(transaction, {redemption_id for redemption_id, _ in taken})
    captures = await redemptions.load_captures(transaction, taken)
    given = [
        GiveBack(locked[key[0]], captures[key], captured_at, standing[key[1]]) for key, captured_at in taken.items()
    ]
    of = [named(one.redemption) for one in given]
    owners = {
        owner for one, (member_id, _) in zip(given, of, strict=True) for owner in owners_of(one.redemption, member_id)
    }
    await projections.lock_known_members(transaction, sorted(owners))
    until = lives_until(transaction, came_back_days)
    asked = [giving_back(one, *of_whom, until) for one, of_whom in zip(given, of, strict=True)]
    commands = [command for group in asked for _, command in group]
    outcomes = iter(await ledger.post(transaction, commands, held_since=held_since))
    results = [given_back(group, [next(outcomes) for _ in group]) for group in asked]
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
