"""Declares a type of member events, or its next version; a second person lets it count, or not."""

from datetime import datetime

from services.accrual.domain.member_event_types import (
    TIMED,
    DeclaredType,
    MemberEventDraft,
    MemberEventType,
    TypeNotFoundError,
    TypeWaitsError,
    UnusableSuccessorError,
    why_no_successor,
)
from services.accrual.programme import Programme
from services.accrual.repository import member_event_types
from shared.database import Transaction


async def declare_member_event_type(
    transaction: Transaction,
    code: str,
    draft: MemberEventDraft,
    effective_from: datetime | None,
    declared_by: str,
) -> DeclaredType:
    """Declare the next version, which counts for what happens from ``effective_from`` on (None: from now on), once a
    second person has approved it.

    The same as the newest one changes nothing.

    Raises:
        UnusableSuccessorError: it would tell events apart otherwise, or they would come about otherwise.
        TypeWaitsError: the version before it has not been decided about.
    """
    await member_event_types.queue(transaction)
    versions = await member_event_types.load_declared(transaction, code)
    standing = [version for version in versions if version.state != "refused"]
    latest = standing[-1] if standing else None
    said = {name: getattr(draft, name) for name in MemberEventDraft.model_fields}
    if latest is not None:
        if reason := why_no_successor(latest.kind, draft):
            raise UnusableSuccessorError(reason)
        if effective_from is None and said == {name: getattr(latest.kind, name) for name in said}:
            return latest
        if latest.state == "declared":
            raise TypeWaitsError(f"version {latest.kind.version} waits for a second person: have it decided first")
    kind = MemberEventType.model_construct(
        **said,
        code=code,
        version=versions[-1].kind.version + 1 if versions else 1,
        effective_from=effective_from or transaction.now,
    )
    declared = DeclaredType(kind, "declared", declared_by, transaction.now)
    await member_event_types.insert(transaction, declared)
    return declared


async def approve_member_event_type(
    transaction: Transaction, code: str, version: int, approved_by: str, programme: Programme
) -> DeclaredType:
    """Let a version count, for whatever has happened from its time on and is told from now on.

    Of a type that time makes events of, the days are gone through from the first version's first one on. Idempotent.

    Raises:
        TypeNotFoundError, OwnTypeError, TypeDecidedError: nothing was changed.
    """
    before = await _queued_for(transaction, code, version)
    approved = before.decided("approved", approved_by, transaction.now)
    if approved is not before:
        await member_event_types.decide(transaction, approved)
        if approved.kind.trigger in TIMED:
            first_day = approved.kind.effective_from.astimezone(programme.zone).date()
            await member_event_types.begin_days(transaction, code, first_day)
    return approved


async def refuse_member_event_type(
    transaction: Transaction, code: str, version: int, refused_by: str, reason: str
) -> DeclaredType:
    """Say that a version never counts; its author may declare another one. Idempotent.

    Raises:
        TypeNotFoundError, OwnTypeError, TypeDecidedError: nothing was changed.
    """
    before = await _queued_for(transaction, code, version)
    refused = before.decided("refused", refused_by, transaction.now, reason)
    if refused is not before:
        await member_event_types.decide(transaction, refused)
    return refused


async def _queued_for(transaction: Transaction, code: str, version: int) -> DeclaredType:
    await member_event_types.queue(transaction)
    for declared in await member_event_types.load_declared(transaction, code):
        if declared.kind.version == version:
            return declared
    raise TypeNotFoundError("there is no such version of a type of member events")
