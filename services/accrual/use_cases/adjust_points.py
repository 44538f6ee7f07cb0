"""Gives and takes points by hand: one at a time, and what is large only with a second person."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.accrual.domain.adjustments import (
    Adjustment,
    AdjustmentDecidedError,
    AdjustmentExistsError,
    AdjustmentNotFoundError,
    AdjustmentRules,
    OwnAdjustmentError,
    Refusal,
    command_of,
    judge,
    why_not_posted,
)
from services.accrual.domain.moved_alone import AloneLimits, may_alone
from services.accrual.domain.tiers.counting import count_given
from services.accrual.programme import KnownTierSchemes, Programme
from services.accrual.repository import adjustments, moved_alone
from services.accrual.use_cases.adjustment_messages import adjusted_or_forgiven_message
from services.accrual.use_cases.count_for_tiers import count
from services.accrual.use_cases.lock_owners import Owner, lock_owners
from services.accrual.use_cases.reinstate_points import reinstate
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Posted
from shared.outbox import Message


async def request_adjustment(
    transaction: Transaction,
    wanted: Adjustment,
    rules: AdjustmentRules,
    programme: Programme,
    tiers: KnownTierSchemes,
) -> Adjustment:
    """Keep an adjustment and post it, or let it wait for a second person; as it stands then.

    Forgiving debt always waits for a second person. Anything else waits where it is large, and where it would be with
    what its author, or anybody of its member, has moved on this day already. The sums are exact: the member and the
    author are locked while they are read and added to.

    Idempotent by its id: the same one asked for again is answered as it stands. One that cannot be posted is kept as
    refused, with the reason.

    Raises:
        AdjustmentExistsError: another one was asked for under this id.
        UnusableAdjustmentError: it contradicts itself, or its note says what it may not.
        AdjustmentNotFoundError: the member is not known here (yet); nothing is kept.
    """
    known = await adjustments.find(transaction, wanted.adjustment_id)
    if known is not None:
        if not known.asks_the_same(wanted):
            raise AdjustmentExistsError("another adjustment was asked for under this Idempotency-Key: use a new one")
        return known
    judge(wanted, today(transaction, programme))
    owners = await lock_owners(transaction, [wanted.member_id])
    if owners[wanted.member_id].status is None:
        raise AdjustmentNotFoundError("the member is not known here: if it enrolled just now, try again in a second")
    day, owner_id = today(transaction, programme), owners[wanted.member_id].owner_id
    so_far = await moved_alone.lock(transaction, wanted.created_by, [owner_id], day)
    if wanted.act == "write_off" or not may_alone(rules.alone, {owner_id: abs(wanted.points)}, so_far):
        refusal = why_not_posted(wanted, owners[wanted.member_id].status, day)
        kept = wanted if refusal is None else wanted.refused(refusal, None, transaction.now)
        await adjustments.insert(transaction, [kept])
        return kept
    posted, messages = await _post_one(transaction, wanted, owners, programme, None, rules.alone)
    await moved_alone.add_of_author(transaction, wanted.created_by, abs(posted.posted_points), day)
    await adjustments.insert(transaction, [posted])
    messages += await _count_for_tiers(transaction, [posted], owners, programme, tiers)
    await outbox.record(transaction, messages)
    return posted


async def approve_adjustment(
    transaction: Transaction, adjustment_id: UUID, approver: str, programme: Programme, tiers: KnownTierSchemes
) -> Adjustment:
    """Post an adjustment that waits, or find that it cannot be posted any more; as it stands then.

    Idempotent: what this person has approved before is answered as it stands.

    Raises:
        AdjustmentNotFoundError, AdjustmentDecidedError, OwnAdjustmentError: nothing was changed.
    """
    waiting = await _lock(transaction, adjustment_id)
    if waiting.state != "waiting" and waiting.refusal != "not_approved" and waiting.decided_by == approver:
        return waiting
    _require_waiting(waiting)
    if waiting.created_by == approver:
        raise OwnAdjustmentError("who asked for an adjustment may not approve it: ask a second person")
    owners = await lock_owners(transaction, [waiting.member_id])
    posted, messages = await _post_one(transaction, waiting, owners, programme, approver, None)
    await adjustments.settle(transaction, [posted])
    messages += await _count_for_tiers(transaction, [posted], owners, programme, tiers)
    await outbox.record(transaction, messages)
    return posted


async def refuse_adjustment(transaction: Transaction, adjustment_id: UUID, decided_by: str) -> Adjustment:
    """Let nothing come of an adjustment that waits; who asked for it may take it back so, too.

    Raises:
        AdjustmentNotFoundError, AdjustmentDecidedError: nothing was changed.
    """
    waiting = await _lock(transaction, adjustment_id)
    if waiting.refusal == "not_approved":
        return waiting
    _require_waiting(waiting)
    refused = waiting.refused("not_approved", decided_by, transaction.now)
    await adjustments.settle(transaction, [refused])
    return refused


async def post_adjustments(
    transaction: Transaction,
    waiting: Sequence[Adjustment],
    programme: Programme,
    rules: AdjustmentRules,
    tiers: KnownTierSchemes,
    decided_by: str | None,
) -> list[Adjustment]:
    """Post adjustments whose rows are locked, each alone; as they stand then, in their order.

    Those of one member are decided in the given order. The number of statements does not depend on how many they are.
    Where no second person has decided (``decided_by``), what is more than one may move of a member on a day is refused.
    """
    owners = await lock_owners(transaction, {each.member_id for each in waiting})
    limits = rules.alone if decided_by is None else None
    decided, messages = await _post(transaction, waiting, owners, programme, decided_by, limits)
    await adjustments.settle(transaction, decided)
    messages += await _count_for_tiers(transaction, decided, owners, programme, tiers)
    await outbox.record(transaction, messages)
    return decided


def today(transaction: Transaction, programme: Programme) -> date:
    """The day by which points begin and end, where the programme is."""
    return transaction.now.astimezone(programme.zone).date()


async def _post_one(
    transaction: Transaction,
    asked: Adjustment,
    owners: dict[UUID, Owner],
    programme: Programme,
    decided_by: str | None,
    limits: AloneLimits | None,
) -> tuple[Adjustment, list[Message]]:
    """The same for one of any kind; points that lapsed come from several lots."""
    if asked.act != "reinstate":
        (decided,), messages = await _post(transaction, [asked], owners, programme, decided_by, limits)
        return decided, messages
    owner, day = owners[asked.member_id], today(transaction, programme)
    refusal = why_not_posted(asked, owner.status, day)
    if refusal is not None:
        return asked.refused(refusal, decided_by, transaction.now), []
    decided, messages = await reinstate(transaction, asked, owner.owner_id, decided_by)
    if limits is not None:
        await moved_alone.add_of_members(transaction, {owner.owner_id: decided.posted_points}, day)
    return decided, messages


async def _post(
    transaction: Transaction,
    waiting: Sequence[Adjustment],
    owners: dict[UUID, Owner],
    programme: Programme,
    decided_by: str | None,
    limits: AloneLimits | None,
) -> tuple[list[Adjustment], list[Message]]:
    """``limits`` are those of one person, where none but the author has decided."""
    day, now = today(transaction, programme), transaction.now
    refusals = {each.adjustment_id: why_not_posted(each, owners[each.member_id].status, day) for each in waiting}
    if limits is not None:
        refusals |= await _beyond_day(transaction, waiting, owners, refusals, limits.member_day_points_max, day)
    asked = [each for each in waiting if refusals[each.adjustment_id] is None]
    commands = [command_of(each, owners[each.member_id].owner_id, day) for each in asked]
    outcomes = await ledger.post(transaction, commands)
    decided: dict[UUID, Adjustment] = {}
    messages = []
    for adjustment, outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, Posted) and adjustment.act == "write_off" and not outcome.points:
            decided[adjustment.adjustment_id] = adjustment.refused("nothing_owed", decided_by, now)
        elif isinstance(outcome, Posted):
            points = outcome.points if adjustment.points > 0 else -outcome.points
            posted = adjustment.posted(points, decided_by, now)
            decided[adjustment.adjustment_id] = posted
            messages.append(adjusted_or_forgiven_message(transaction, posted, outcome))
        else:
            refused = adjustment.refused("insufficient_points", decided_by, now)
            decided[adjustment.adjustment_id] = refused
    for adjustment in waiting:
        refusal = refusals[adjustment.adjustment_id]
        if refusal is not None:
            decided[adjustment.adjustment_id] = adjustment.refused(refusal, decided_by, now)
    if limits is not None:
        moved: dict[UUID, int] = {}
        for each in decided.values():
            owner_id = owners[each.member_id].owner_id
            moved[owner_id] = moved.get(owner_id, 0) + abs(each.posted_points)
        await moved_alone.add_of_members(transaction, moved, day)
    return [decided[each.adjustment_id] for each in waiting], messages


async def _count_for_tiers(
    transaction: Transaction,
    decided: Sequence[Adjustment],
    owners: dict[UUID, Owner],
    programme: Programme,
    tiers: KnownTierSchemes,
) -> list[Message]:
    """Count status points that were given or taken towards tiers, and grade whom it concerns. The members are locked.

    Points that had lapsed, or were owed, had counted when they were awarded and were taken off with what came back.
    """
    given = [
        (owners[each.member_id].owner_id, each.point_type, each.posted_points)
        for each in decided
        if each.act == "adjust" and each.posted_points and each.point_type != programme.point_type
    ]
    if not given:
        return []
    await tiers.refresh(transaction)
    counted = count_given(given, programme.point_type, transaction.now, tiers.history)
    return await count(transaction, counted, tiers.history)


async def _beyond_day(
    transaction: Transaction,
    waiting: Sequence[Adjustment],
    owners: dict[UUID, Owner],
    refusals: dict[UUID, Refusal | None],
    points_max: int,
    day: date,
) -> dict[UUID, Refusal | None]:
    """Those that would be more than one person may move of their members on this day, each after those before it."""
    moved = await moved_alone.load(transaction, {owners[each.member_id].owner_id for each in waiting}, day)
    beyond: dict[UUID, Refusal | None] = {}
    for each in waiting:
        if refusals[each.adjustment_id] is None:
            owner_id = owners[each.member_id].owner_id
            together = moved.get(owner_id, 0) + abs(each.points)
            if together > points_max:
                beyond[each.adjustment_id] = "second_person_needed"
            else:
                moved[owner_id] = together
    return beyond


async def _lock(transaction: Transaction, adjustment_id: UUID) -> Adjustment:
    """An adjustment of its own, locked; lines of files are decided with their file."""
    found = await adjustments.lock(transaction, adjustment_id)
    if found is None:
        raise AdjustmentNotFoundError("there is no such adjustment")
    if found.file_id is not None:
        raise AdjustmentDecidedError("it is a line of a file: approve or refuse the file")
    return found


def _require_waiting(adjustment: Adjustment) -> None:
    if adjustment.state != "waiting":
        raise AdjustmentDecidedError(f"the adjustment is {adjustment.state} already")
