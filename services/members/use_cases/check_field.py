"""Somebody found out that what is known of a member is right or wrong: mail bounced, a code came back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.members.domain.consents import Statement
from services.members.domain.data_quality import CheckOutcome, FieldCheck, FieldFacts, QualityField, judge_check
from services.members.domain.errors import MemberNotFoundError
from services.members.domain.stated import stated_time
from services.members.domain.statuses import judge_open
from services.members.repository import data_quality, registry
from shared.database import Transaction
from shared.ids import new_id

CONFIRMED_BY = "double-opt-in"


@dataclass(frozen=True, slots=True)
class ToldCheck:
    """What a client tells; a time that is left out is now."""

    check_id: UUID
    member_id: UUID
    field: QualityField
    outcome: CheckOutcome
    source: str
    checked_at: datetime | None
    recorded_by: str


async def check_field(transaction: Transaction, told: ToldCheck) -> tuple[FieldCheck, bool]:
    """Keep a check, and whether it holds: it does unless the value was stated, or checked, later. Locks the member.

    Raises:
        MemberNotFoundError, MemberGoneError, FieldNotFilledError, StatedInFutureError: nothing is kept.
    """
    member = await registry.lock_member(transaction, told.member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    judge_open(member.status)
    return await note_check(transaction, told)


async def note_confirmed_address(transaction: Transaction, statement: Statement, author: str) -> None:
    """Who confirms an e-mail consent reads the mail: the address that it was sent to is verified. Locked member.

    Judged by when the statement was recorded, which is when the token was made: an address that the member has only
    since then was not written to.
    """
    facts = await data_quality.find_facts(transaction, statement.key.member_id) or {}
    if statement.key.channel == "email" and facts.get("email", FieldFacts()).stated_at is not None:
        told = ToldCheck(
            check_id=new_id(),
            member_id=statement.key.member_id,
            field="email",
            outcome="verified",
            source=CONFIRMED_BY,
            checked_at=statement.recorded_at,
            recorded_by=author,
        )
        await note_check(transaction, told)


async def note_check(transaction: Transaction, told: ToldCheck) -> tuple[FieldCheck, bool]:
    """The same for a member that is locked.

    Raises:
        FieldNotFilledError, StatedInFutureError
    """
    facts = await data_quality.find_facts(transaction, told.member_id) or {}
    check = FieldCheck(
        check_id=told.check_id,
        member_id=told.member_id,
        field=told.field,
        outcome=told.outcome,
        source=told.source,
        checked_at=stated_time(told.checked_at, transaction.now, field="/checked_at"),
        recorded_at=transaction.now,
        recorded_by=told.recorded_by,
    )
    holds = judge_check(facts.get(told.field, FieldFacts()), check.checked_at)
    await data_quality.insert_check(transaction, check, holds=holds)
    return check, holds
