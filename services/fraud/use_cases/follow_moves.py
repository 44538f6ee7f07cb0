"""Follows receipts that were moved to another member: out of one window, and judged in the other."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.fraud.domain.moves import Departure, follow
from services.fraud.domain.outcomes import Effects
from services.fraud.domain.rule_set import RuleSet
from services.fraud.repository import decisions, merges, moves, windows
from services.fraud.repository.moves import HeardMove, Lifted, Place
from services.fraud.use_cases import announcements
from services.fraud.use_cases.save_findings import save_findings
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.fraud import PointsReleaseData
from shared.events.points import MoveData, ReceiptMoved
from shared.outbox import Message, record
from shared.receipt_key import natural_key_of, receipt_id_of

RELEASE_REASON = "receipt_moved"
# Told before moves were counted, when a receipt was moved once or not heard of in order.
_UNCOUNTED = 1


class _Heard(NamedTuple):
    """A batch's moves, the last of each receipt; and everybody whom one of them names."""

    last: list[HeardMove]
    members: set[UUID]
    traces: dict[bytes, str | None]


async def follow_moves(transaction: Transaction, events: Sequence[ReceiptMoved], rule_set: RuleSet) -> Effects:
    """Let receipts count for whom they were moved to, inside the caller's transaction.

    Idempotent: of a receipt's moves the one with the highest number says whose it is, however often and in which order
    they are heard, each of its two members and of each part. One whose purchase was not read yet waits for it. A
    purchase that is being scored meets us in the window from which its receipt goes: either it is decided by then and
    leaves it, or it is scored for the new member.

    The receipt leaves the former window and is judged in the new one as a late one. What was found with its help
    stands; but what was asked for on its own award is lifted, unless the new member's receipts give reason for it.

    Raises:
        StartAgainError: somebody was merged away, or a receipt decided or moved, while windows were waited for.
    """
    heard = _heard(events)
    survivors = await merges.find_survivors(transaction, heard.members)
    concerned = {survivors.get(member_id, member_id) for member_id in heard.members}
    concerned |= _concerned(await moves.find_places(transaction, heard.last))
    erased = await windows.lock(transaction, concerned)
    places = await moves.find_places(transaction, heard.last)
    if not _concerned(places) <= concerned or await merges.find_survivors(transaction, concerned):
        raise StartAgainError("a member was merged away, or a receipt was decided or moved, meanwhile")
    await moves.save(transaction, heard.last)
    departures = [
        Departure(place.receipt_key, place.decided_of, place.owner_id, place.number)
        for place in places
        if place.is_behind and place.decided_of is not None
    ]
    if not departures:
        return Effects()
    return await _judge_anew(transaction, departures, erased, rule_set, heard.traces)


async def _judge_anew(
    transaction: Transaction,
    departures: Sequence[Departure],
    erased: Collection[UUID],
    rule_set: RuleSet,
    traces: Mapping[bytes, str | None],
) -> Effects:
    """Take receipts over between windows that are locked."""
    members = {one for each in departures for one in (each.from_member_id, each.to_member_id)}
    before, case_ids = await windows.load(transaction, members)
    after, effects = follow(departures, before, erased, rule_set)
    await decisions.replace(transaction, effects.decisions, rule_set.version)
    await decisions.save_raised(transaction, effects.raised, rule_set.version)
    await windows.save(
        transaction, {member_id: state.change_since(before[member_id]) for member_id, state in after.items()}
    )
    lifted = await moves.lift_former_holds(transaction, [each.receipt_key for each in departures])
    found = await save_findings(transaction, effects, case_ids, rule_set.hold_hours, traces)
    held = {hold.receipt.receipt_key for hold in effects.holds}  # of a higher version: a release would only be spent
    owners = {each.receipt_key: each.to_member_id for each in departures}
    released = [
        _released(transaction, one, owners[one.receipt_key], traces) for one in lifted if one.receipt_key not in held
    ]
    if messages := [*found, *released]:
        await record(transaction, messages)
    return effects


def _heard(events: Sequence[ReceiptMoved]) -> _Heard:
    last: dict[bytes, HeardMove] = {}
    members: set[UUID] = set()
    traces: dict[bytes, str | None] = {}
    for event in events:
        data = event.data
        key = natural_key_of(data.receipt_id)
        members |= {data.member_id, data.other_member_id}
        move = HeardMove(key, data.move_number or _UNCOUNTED, _owner(data), event.time)
        known = last.get(key)
        if known is None or known.number < move.number:
            last[key] = move
            traces[key] = event.traceparent
    return _Heard([last[key] for key in sorted(last)], members, traces)


def _owner(data: MoveData) -> UUID:
    return data.member_id if data.direction == "to" else data.other_member_id


def _concerned(places: Sequence[Place]) -> set[UUID]:
    """In whose windows those receipts are, or come, that have to go over."""
    behind = [place for place in places if place.is_behind]
    return {one for place in behind for one in (place.owner_id, place.decided_of) if one is not None}


def _released(transaction: Transaction, lifted: Lifted, owner_id: UUID, traces: Mapping[bytes, str | None]) -> Message:
    data = PointsReleaseData(
        member_id=owner_id,
        receipt_id=receipt_id_of(lifted.receipt_key),
        version=lifted.version,
        case_id=lifted.case_id,
        reason=RELEASE_REASON,
    )
    return announcements.hold_released(data, transaction.now, traces[lifted.receipt_key])
