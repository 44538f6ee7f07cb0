"""Declares a type of member events, or its next version."""

from datetime import datetime

from services.accrual.domain.member_event_types import TIMED, MemberEventDraft, MemberEventType, why_no_successor
from services.accrual.domain.member_events import UnusableSuccessorError
from services.accrual.programme import Programme
from services.accrual.repository import member_event_types
from shared.database import Transaction


async def declare_member_event_type(
    transaction: Transaction,
    code: str,
    draft: MemberEventDraft,
    effective_from: datetime | None,
    declared_by: str,
    programme: Programme,
) -> MemberEventType:
    """Declare the next version, which counts for what happens from ``effective_from`` on (None: from now on).

    The same as the newest one changes nothing. Of a type that time makes events of, the days are gone through from its
    first one on.

    Raises:
        UnusableSuccessorError: it would tell events apart otherwise, or they would come about otherwise.
    """
    await member_event_types.queue(transaction)
    latest = await member_event_types.find_latest(transaction, code)
    if latest is not None and (reason := why_no_successor(latest, draft)):
        raise UnusableSuccessorError(reason)
    said = {name: getattr(draft, name) for name in MemberEventDraft.model_fields}
    if latest is not None and said == {name: getattr(latest, name) for name in said} and effective_from is None:
        return latest
    begins = effective_from or transaction.now
    version = latest.version + 1 if latest is not None else 1
    declared = MemberEventType.model_construct(**said, code=code, version=version, effective_from=begins)
    first_day = begins.astimezone(programme.zone).date() if draft.trigger in TIMED else None
    await member_event_types.insert(transaction, declared, declared_by, first_day)
    return declared
