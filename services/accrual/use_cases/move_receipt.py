"""Moves a receipt to the member whose it is: taken back from one and awarded anew to the other, in one transaction."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.accrual.domain.moved_alone import may_alone
from services.accrual.domain.receipt_moves import (
    MoveDecidedError,
    MoveExistsError,
    MoveNotFoundError,
    MoveWaitsError,
    OwnMoveError,
    ReceiptMove,
    ReceiptNotMovableError,
    UnknownMoveReasonError,
)
from services.accrual.domain.tiers.counting import count_move
from services.accrual.programme import MoveRules
from services.accrual.repository import moved_alone, receipt_moves
from services.accrual.repository.receipt_moves import NewOwner
from services.accrual.use_cases.adjust_points import today
from services.accrual.use_cases.balance_caps import BalanceMovedError
from services.accrual.use_cases.count_for_tiers import count
from services.accrual.use_cases.decide_documents import write_counters
from services.accrual.use_cases.judge_move import Judged, judge_move
from services.accrual.use_cases.messages import released_message
from services.accrual.use_cases.move_commands import AskedGiven, AskedTaken, taking
from services.accrual.use_cases.move_messages import moved_messages
from services.accrual.use_cases.part_commands import paid_for
from services.accrual.use_cases.part_messages import WAITS
from services.accrual.use_cases.save_decisions import stored_decision
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Command, Outcome, Posted, Release, idle
from shared.outbox import Message


async def request_move(transaction: Transaction, wanted: ReceiptMove, rules: MoveRules) -> ReceiptMove:
    """Move a receipt, or let the move wait for a second person where it is more than one moves alone.

    Idempotent by its id: the same one asked for again is answered as it stands. What cannot be moved is not kept.

    Raises:
        MoveExistsError, MoveNotFoundError, MoveWaitsError, ReceiptNotMovableError, UnknownMoveReasonError: nothing was
            changed.
        StartAgainError: something has moved meanwhile; call again.
    """
    known = await receipt_moves.find(transaction, wanted.move_id)
    if known is not None:
        if not known.asks_the_same(wanted):
            raise MoveExistsError("another move was asked for under this Idempotency-Key: use a new one")
        return known
    if wanted.reason_code not in rules.reasons:
        raise UnknownMoveReasonError(f"/reason_code: declared are {', '.join(sorted(rules.reasons))}")
    judged = await judge_move(transaction, wanted, rules)
    if isinstance(judged, str):
        raise ReceiptNotMovableError(judged)
    if await receipt_moves.does_another_wait(transaction, wanted):
        raise MoveWaitsError("a move of this receipt waits for a second person: approve or refuse that one first")
    move = wanted.weighed(judged.taken_points, judged.anew.given_points)
    day = today(transaction, rules.programme)
    of_members = {judged.from_id: move.taken_points, judged.to_id: move.size}
    so_far = await moved_alone.lock(transaction, move.created_by, of_members, day)
    if not may_alone(rules.alone, of_members, so_far, total=move.size):
        await receipt_moves.insert(transaction, move)
        await outbox.record(transaction, judged.told)
        return move
    await moved_alone.add_of_members(transaction, of_members, day)
    await moved_alone.add_of_author(transaction, move.created_by, move.size, day)
    return await _make(transaction, move, judged, None, rules, is_new=True)


async def approve_move(transaction: Transaction, move_id: UUID, approver: str, rules: MoveRules) -> ReceiptMove:
    """Make a move that waits, or find that it cannot be made any more; as it stands then.

    Everything is judged again by how it stands now: a return may have come meanwhile. Idempotent: what this person has
    approved before is answered as it stands.

    Raises:
        MoveNotFoundError, MoveDecidedError, OwnMoveError: nothing was changed.
        ReceiptNotMovableError: its points have lapsed, or are spent and the rules let nobody owe them; nothing was
            changed.
        StartAgainError: something has moved meanwhile; call again.
    """
    waiting = await _lock(transaction, move_id)
    if waiting.state != "waiting" and waiting.refusal != "not_approved" and waiting.decided_by == approver:
        return waiting
    _require_waiting(waiting)
    if waiting.created_by == approver:
        raise OwnMoveError("who asked for a move may not approve it: ask a second person")
    judged = await judge_move(transaction, waiting, rules)
    if isinstance(judged, str):
        refused = waiting.refused(judged, approver, transaction.now)
        await receipt_moves.settle(transaction, refused)
        return refused
    weighed = waiting.weighed(judged.taken_points, judged.anew.given_points)
    return await _make(transaction, weighed, judged, approver, rules, is_new=False)


async def refuse_move(transaction: Transaction, move_id: UUID, decided_by: str) -> ReceiptMove:
    """Let nothing come of a move that waits; who asked for it may take it back so, too.

    Raises:
        MoveNotFoundError, MoveDecidedError: nothing was changed.
    """
    waiting = await _lock(transaction, move_id)
    if waiting.refusal == "not_approved":
        return waiting
    _require_waiting(waiting)
    refused = waiting.refused("not_approved", decided_by, transaction.now)
    await receipt_moves.settle(transaction, refused)
    return refused


async def _make(
    transaction: Transaction,
    move: ReceiptMove,
    judged: Judged,
    decided_by: str | None,
    rules: MoveRules,
    *,
    is_new: bool,
) -> ReceiptMove:
    """Write a judged move: claim and award, counters and tiers, then the ledger, the outbox last."""
    anew = judged.anew
    new = NewOwner(
        natural_key=move.natural_key,
        owner_id=judged.to_id,
        points=anew.evaluation.points,
        taken_back=anew.taken_back,
        decision=stored_decision(anew.evaluation),
        parts=judged.parts,
    )
    await receipt_moves.give_to(transaction, new)
    if judged.earning is not None:
        await write_counters(transaction, judged.earning)
    told = [*judged.told, *await _count_for_tiers(transaction, judged, rules)]
    taken, given, freed = await _post(transaction, judged, today(transaction, rules.programme))
    own_type = rules.programme.point_type
    became_debt = sum(
        posted.debt_added - posted.debt_cleared for _, posted in taken if posted.command.point_type == own_type
    )
    taken_points = sum(posted.points for _, posted in taken if posted.command.point_type == own_type)
    weighed = move.weighed(taken_points, anew.given_points)  # less was taken where the issuer bears what is gone
    moved = weighed.moved(became_debt, decided_by, transaction.now)
    number = 1 + await receipt_moves.count_made(transaction, move.natural_key)
    await (receipt_moves.insert if is_new else receipt_moves.settle)(transaction, moved)
    await outbox.record(transaction, [*moved_messages(transaction, moved, number, judged, taken, given), *freed, *told])
    return moved


async def _count_for_tiers(transaction: Transaction, judged: Judged, rules: MoveRules) -> list[outbox.Message]:
    schemes = rules.published.tiers.history
    if schemes.is_empty:
        return []
    frozen, anew = judged.frozen, judged.anew
    scheme = schemes.at(frozen.purchase.occurred_at)
    counts = None if scheme is None else scheme.points_of
    counted = count_move(
        frozen.purchase,
        frozen.returned_thousandths,
        (judged.from_id, judged.taken_of(counts), anew.kept.base.total_minor),
        (judged.to_id, anew.given_of(counts), anew.left.base.total_minor),
        schemes,
    )
    return await count(transaction, counted, schemes)


async def _post(
    transaction: Transaction, judged: Judged, day: date
) -> tuple[list[tuple[AskedTaken, Posted]], list[tuple[AskedGiven, Posted]], list[Message]]:
    award = judged.award
    taken = taking(award, judged.from_id, judged.frozen.rule_set.returns.claw_back)
    given = judged.giving
    freed = [(command, part.number) for part in award.parts for command in paid_for(award, part, day)]
    commands: list[Command] = [*(one.command for one in taken), *(one.command for one in given)]
    commands += [command for command, _ in freed]
    outcomes = await ledger.post(transaction, commands) if commands else []
    if any(_is_lacking(outcome) for outcome in outcomes) and await _have_lapsed(transaction, judged, taken):
        raise ReceiptNotMovableError("points_expired")
    posted: list[Posted] = []
    for outcome in outcomes:
        if not isinstance(outcome, Posted):  # by the policy of the purchase's rules alone
            raise ReceiptNotMovableError("points_spent")
        if outcome.trimmed:
            raise BalanceMovedError
        posted.append(outcome)
    return (
        list(zip(taken, posted[: len(taken)], strict=True)),
        list(zip(given, posted[len(taken) : len(taken) + len(given)], strict=True)),
        [
            released_message(transaction, award.natural_key, WAITS, outcome, number, _last_day(outcome))
            for (_, number), outcome in zip(freed, posted[len(taken) + len(given) :], strict=True)
            if outcome.points
        ],
    )


def _last_day(outcome: Posted) -> date | None:
    into = outcome.command.into if isinstance(outcome.command, Release) else None
    return None if into is None else into.expires_on


def _is_lacking(outcome: Outcome) -> bool:
    """Whether not all that was to be taken was where the award had put it."""
    return not isinstance(outcome, Posted) or bool(outcome.debt_added or outcome.shortfall)


async def _have_lapsed(transaction: Transaction, judged: Judged, taken: Sequence[AskedTaken]) -> bool:
    """Whether that is since its lots have lapsed before their own day, for inactivity. The accounts are locked: what
    lapses later finds nothing of it.
    """
    award = judged.award
    lots = [one.command.terms for one in taken if one.command.point_type == award.point_type]
    return await idle.have_lapsed(transaction, judged.from_id, award.point_type, lots, award.decided_at)


async def _lock(transaction: Transaction, move_id: UUID) -> ReceiptMove:
    found = await receipt_moves.lock(transaction, move_id)
    if found is None:
        raise MoveNotFoundError("there is no such move")
    return found


def _require_waiting(move: ReceiptMove) -> None:
    if move.state != "waiting":
        raise MoveDecidedError(f"the move is {move.state} already")
