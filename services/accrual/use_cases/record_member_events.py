"""Records events of members, each once for ever, and gives what their types, or the rules, give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.accrual.domain.member_event_types import MemberEventType
from services.accrual.domain.member_events import (
    EventRefusal,
    MemberEvent,
    id_of_event,
    why_refused,
    window_of,
)
from services.accrual.domain.standing import STANDINGS, Waits
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import member_events
from services.accrual.repository.member_events import Window
from services.accrual.use_cases.judge_member_events import EventOfOwner, judge_member_events
from services.accrual.use_cases.lock_owners import Owner, lock_owners
from services.accrual.use_cases.save_member_events import save_member_events
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a member. ``key`` is what makes it one; ``kind`` the type's version in force then, if any is."""

    type_code: str
    kind: MemberEventType | None
    member_id: UUID
    key: Mapping[str, Any]
    payload: Mapping[str, Any]
    occurred_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of what was told; ``event`` is None where the member is not known here, or waits for its status."""

    told: Told
    event: MemberEvent | None
    is_new: bool


async def record_member_events(
    transaction: Transaction,
    told: Sequence[Told],
    programme: Programme,
    rules: PublishedRules,
    window: timedelta | None,
) -> list[Taken]:
    """Record what is told, in its order; what became of each. What a type does not say itself the rules decide.

    Idempotent: an event that was recorded before, under any id of its member, changes nothing. Limits are exact: the
    members are locked to the commit. What happened longer ago than ``window`` gives nothing (None: however long).
    The number of statements does not depend on how many are told.

    Raises:
        StartAgainError: a member was merged away while we waited for its row, or a capped balance has risen.
    """
    owners = await lock_owners(transaction, {each.member_id for each in told})
    taken, by_rules = await take_in(transaction, told, owners, programme, window)
    judged = await judge_member_events(transaction, by_rules, programme, rules)
    new = [each.event for each in taken if each.is_new and each.event is not None]
    saved = await save_member_events(transaction, new, owners, judged, programme)
    return [
        replace(each, event=saved.get(each.event.event_id, each.event)) if each.event is not None else each
        for each in taken
    ]


async def take_in(
    transaction: Transaction,
    told: Sequence[Told],
    owners: Mapping[UUID, Owner],
    programme: Programme,
    window: timedelta | None,
) -> tuple[list[Taken], list[EventOfOwner]]:
    """What becomes of what is told before any rule is asked, and the events that rules decide. Changes nothing."""
    absorbed = await member_events.find_absorbed(transaction, {owner.owner_id for owner in owners.values()})
    ids = [_ids(each, owners[each.member_id].owner_id, absorbed) for each in told]
    known = await member_events.find_known(transaction, {event_id for some in ids for event_id in some})
    windows = [_window(each, owners[each.member_id].owner_id, programme) for each in told]
    counts = await member_events.count(transaction, list({window for window in windows if window is not None}))
    taken: list[Taken] = []
    by_rules: list[EventOfOwner] = []
    for each, candidates, counted in zip(told, ids, windows, strict=True):
        before = next((known[event_id] for event_id in candidates if event_id in known), None)
        if before is not None:
            taken.append(Taken(each, before, is_new=False))
            continue
        owner = owners[each.member_id]
        event = _decide(transaction, each, candidates[0], owner, counted, counts, programme, window)
        taken.append(Taken(each, event, is_new=event is not None))
        if event is None:
            continue
        known[event.event_id] = event
        if event.state == "awarded" and each.kind is not None and each.kind.points is None:
            by_rules.append(EventOfOwner(event, owner.owner_id))
    return taken, by_rules


def _decide(
    transaction: Transaction,
    told: Told,
    event_id: UUID,
    owner: Owner,
    counted: Window | None,
    counts: dict[Window, int],
    programme: Programme,
    window: timedelta | None,
) -> MemberEvent | None:
    """A new event, decided by what was counted so far, and counted itself. None: it may be told again later."""
    if owner.status is None or isinstance(STANDINGS[owner.status], Waits):
        return None
    kind, now = told.kind, transaction.now
    refusal: EventRefusal | None = why_refused(owner.status, kind, told.occurred_at, now, window or timedelta.max)
    event = MemberEvent(
        event_id=event_id,
        type_code=told.type_code,
        type_version=kind.version if kind is not None else 0,
        member_id=told.member_id,
        payload={} if owner.status == "erased" else told.payload,
        occurred_at=told.occurred_at,
        recorded_by=told.by,
        recorded_at=now,
        state="awarded",
        point_type=programme.point_type,
    )
    if refusal is None and kind is not None and kind.limit is not None and counted is not None:
        if counts[counted] >= kind.limit.events_max:
            refusal = "limit_reached"
        else:
            counts[counted] += 1
    if refusal is not None or kind is None:
        return replace(event, state="refused", refusal=refusal)
    if kind.points is None:
        return event
    day = told.occurred_at.astimezone(programme.zone).date()
    lasts = timedelta(days=kind.expires_after_days) if kind.expires_after_days is not None else None
    return replace(
        event,
        points=kind.points_of(dict(told.payload)),
        basis=kind.basis,
        available_from=day,
        expires_on=day + lasts if lasts is not None else None,
    )


def _ids(told: Told, owner_id: UUID, absorbed: Mapping[UUID, list[UUID]]) -> list[UUID]:
    """Under which ids it may have been recorded: the member's as it was told, and those of all who are one with it."""
    members = dict.fromkeys([told.member_id, owner_id, *absorbed.get(owner_id, ())])
    return [id_of_event(told.type_code, member_id, told.key) for member_id in members]


def _window(told: Told, owner_id: UUID, programme: Programme) -> Window | None:
    if told.kind is None or told.kind.limit is None:
        return None
    bounds = window_of(told.kind.limit.period, told.occurred_at, programme.zone)
    since, before = bounds if bounds is not None else (None, None)
    return Window(owner_id, told.type_code, since, before)
