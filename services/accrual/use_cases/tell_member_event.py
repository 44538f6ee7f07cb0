"""A source tells of an event of a member's, or that what made it one was undone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.accrual.domain.member_event_types import MemberEventType, in_force_at
from services.accrual.domain.member_events import (
    AHEAD_MAX,
    EventMemberNotReadyError,
    MemberEvent,
    MemberEventConflictError,
    TypeNotApprovedError,
    UnknownMemberEventError,
    UnusablePayloadError,
    id_of_event,
)
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import awards, member_event_types, member_events
from services.accrual.use_cases.lock_owners import lock_owners
from services.accrual.use_cases.member_event_messages import revoked_message
from services.accrual.use_cases.record_member_events import Told, record_member_events
from services.accrual.use_cases.undo_event_award import undo_event_award
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import ClawBack, Posted


async def tell_member_event(
    transaction: Transaction,
    type_code: str,
    member_id: UUID,
    payload: Mapping[str, Any],
    occurred_at: datetime,
    source: str,
    programme: Programme,
    rules: PublishedRules,
) -> MemberEvent:
    """Record an event and give what its type, or the rules, give; as it stands then. Told again, it is answered as it
    stands.

    Raises:
        UnknownMemberEventError: no such type, or it is not this source's to tell of.
        TypeNotApprovedError: nobody has approved its type yet; nothing is recorded.
        UnusablePayloadError: payload or time are not as declared.
        MemberEventConflictError: it was told of before with another payload.
        EventMemberNotReadyError: the member is not known here, or suspended; nothing is recorded.
    """
    told = await read_told(transaction, type_code, member_id, payload, occurred_at, source)
    window = min(programme.parked_window, programme.retro_window)
    (taken,) = await record_member_events(transaction, [told], programme, rules, window)
    if taken.event is None:
        raise EventMemberNotReadyError("the member is not known here yet, or suspended: tell of it again later")
    if not taken.is_new and taken.event.payload and dict(taken.event.payload) != dict(payload):
        raise MemberEventConflictError("this event was told of before, with another payload")
    return taken.event


async def read_told(
    transaction: Transaction,
    type_code: str,
    member_id: UUID,
    payload: Mapping[str, Any],
    occurred_at: datetime,
    source: str,
) -> Told:
    """What a source tells, held against its type.

    Raises:
        UnknownMemberEventError, TypeNotApprovedError, UnusablePayloadError: as of ``tell_member_event``.
    """
    versions = await _versions_of(transaction, type_code, source)
    kind = in_force_at(versions, occurred_at)
    judged = kind or versions[0]
    if fault := judged.payload.fault_of(dict(payload)):
        raise UnusablePayloadError(f"/payload/{fault[0]}: {fault[1]}")
    if occurred_at > transaction.now + AHEAD_MAX:
        raise UnusablePayloadError("/occurred_at: it has not happened yet")
    return Told(type_code, kind, member_id, _key(judged, payload), payload, occurred_at, source)


async def revoke_member_event(
    transaction: Transaction,
    type_code: str,
    member_id: UUID,
    key: Mapping[str, Any],
    reason: str,
    source: str,
    programme: Programme,
    rules: PublishedRules,
) -> MemberEvent:
    """Undo an event: what it gave is taken back, and what is not there any more becomes debt. As it stands then.

    ``key`` are the properties that make it one. Idempotent. One that was not told of yet never gives anything: both
    meet in its id.

    Raises:
        UnknownMemberEventError, UnusablePayloadError: nothing was changed.
        EventMemberNotReadyError: the member is not known here.
        EventPointsSpentError: by the rules nobody may owe what is not there any more; nothing was changed.
    """
    versions = await _versions_of(transaction, type_code, source)
    if set(key) != set(versions[-1].key):
        raise UnusablePayloadError(f"/key: name {list(versions[-1].key)}, and nothing else")
    owners = await lock_owners(transaction, [member_id])
    owner_id = owners[member_id].owner_id
    if owners[member_id].status is None:
        raise EventMemberNotReadyError("the member is not known here yet: tell of it again later")
    absorbed = await member_events.find_absorbed(transaction, [owner_id])
    everybody = dict.fromkeys([member_id, owner_id, *absorbed.get(owner_id, ())])
    ids = [id_of_event(type_code, each, key) for each in everybody]
    known = await member_events.find_known(transaction, ids)
    event = next((known[event_id] for event_id in ids if event_id in known), None)
    now = transaction.now
    if event is None:
        never = MemberEvent(
            event_id=ids[0],
            type_code=type_code,
            type_version=versions[-1].version,
            member_id=member_id,
            payload={},
            occurred_at=now,
            recorded_by=source,
            recorded_at=now,
            state="revoked",
            point_type=programme.point_type,
        )
        undone = never.revoked(0, source, reason, now)
        await member_events.insert(transaction, [undone])
        return undone
    if event.state != "awarded":
        return event
    award = (await awards.lock_awards(transaction, [event.award])).get(event.award)
    if award is None:
        return await _take_back(transaction, event, owner_id, source, reason)
    posted, told = await undo_event_award(transaction, award, owners[member_id], rules)
    own = [outcome for _, outcome in posted if outcome.command.point_type == event.point_type]
    became_debt = sum(outcome.debt_added - outcome.debt_cleared for outcome in own)
    clipped = sum(outcome.shortfall for outcome in own)
    undone = event.revoked(became_debt, source, reason, now, clipped)
    await member_events.revoke(transaction, undone)
    await outbox.record(transaction, [revoked_message(transaction, undone, owner_id, posted), *told])
    return undone


async def _take_back(
    transaction: Transaction, event: MemberEvent, owner_id: UUID, source: str, reason: str
) -> MemberEvent:
    posted: Posted | None = None
    if event.points:
        reference = event.award + b":revoked"
        command = ClawBack(owner_id, event.point_type, reference, event.points, event.terms, event.award)
        (outcome,) = await ledger.post(transaction, [command])
        if not isinstance(outcome, Posted):
            raise TypeError(f"the ledger refused {outcome.command}: taking back is never refused")
        posted = outcome
    became_debt = posted.debt_added - posted.debt_cleared if posted is not None else 0
    undone = event.revoked(became_debt, source, reason, transaction.now)
    await member_events.revoke(transaction, undone)
    taken = [] if posted is None else [(None, posted)]
    await outbox.record(transaction, [revoked_message(transaction, undone, owner_id, taken)])
    return undone


async def _versions_of(transaction: Transaction, type_code: str, source: str) -> list[MemberEventType]:
    versions = await member_event_types.load_versions(transaction, type_code)
    if not versions:
        declared = await member_event_types.load_declared(transaction, type_code)
        if declared and declared[-1].state == "declared" and source in declared[-1].kind.sources:
            raise TypeNotApprovedError("this type waits for a second person: tell of it again later")
    if not versions or source not in versions[-1].sources:
        raise UnknownMemberEventError("there is no such type of events that is yours to tell of")
    return versions


def _key(kind: MemberEventType, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: payload[name] for name in kind.key}
