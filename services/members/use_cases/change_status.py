"""Change what a member may do."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.registry import Member
from services.members.domain.statuses import RequestedStatus, StatusChange, judge_change, judge_reason
from services.members.repository import registry, statuses
from services.members.use_cases import announcements
from services.members.use_cases.household_membership import end_membership, lock_household_of
from shared import outbox
from shared.database import Transaction
from shared.outbox import Message


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """Who wants which status for a member, and why."""

    member_id: UUID
    status: RequestedStatus
    reason_code: str
    changed_by: str


async def change_status(transaction: Transaction, request: StatusRequest, declared_reasons: Collection[str]) -> Member:
    """Set the status, keep the change in the history, and record MemberStatusChanged; the member as it stands then.

    A status that the member has already is no change: nothing happens, and the answer says how things stand. Who is
    closed leaves the household, which is locked before the member then.

    Raises:
        UnknownReasonError: the programme does not declare the reason.
        MemberNotFoundError: there is no such member.
        StatusChangeRefusedError: this status may not follow the present one.
        StartAgainError: the member's household changed while the member was waited for.
    """
    judge_reason(request.reason_code, declared_reasons)
    is_end = request.status == "closed"
    household = await lock_household_of(transaction, request.member_id) if is_end else None
    member = await registry.lock_member(transaction, request.member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    if member.status == request.status:
        return member
    judge_change(member.status, request.status)
    changed = replace(member, status=request.status, version=member.version + 1)
    change = StatusChange(
        member_id=member.member_id,
        version=changed.version,
        from_status=member.status,
        to_status=changed.status,
        reason_code=request.reason_code,
        changed_by=request.changed_by,
        changed_at=transaction.now,
    )
    await statuses.save_change(transaction, change)
    messages: list[Message] = []
    if is_end:
        messages += await end_membership(transaction, household, changed, request.changed_by)
        changed = replace(changed, household_id=None)
    await outbox.record(transaction, [announcements.status_changed(changed, change), *messages])
    return changed
