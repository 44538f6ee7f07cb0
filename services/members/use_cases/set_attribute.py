"""Declare attributes; say what a member has under one."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.members.domain.attributes import Attribute, Entry, Outcome, Told, canonical, is_told, outcome_of
from services.members.domain.errors import MemberNotFoundError
from services.members.domain.stated import stated_time
from services.members.domain.statement_errors import AttributeExistsError, AttributeUnknownError
from services.members.domain.statuses import judge_open
from services.members.repository import attributes, registry
from services.members.sealing.attributes import read, stored
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.attribute_announcements import attribute_changed, attribute_declared
from services.members.use_cases.open_key import open_key
from shared import outbox
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class ToldValue:
    """What a client tells. ``told`` of None takes the value away; a time that is left out is now."""

    entry_id: UUID
    member_id: UUID
    code: str
    told: Told | None = field(repr=False)
    source: str
    stated_at: datetime | None
    recorded_by: str


async def declare_attribute(transaction: Transaction, attribute: Attribute, author: str) -> None:
    """Declare an attribute, for ever.

    Raises:
        AttributeExistsError: the code is taken.
    """
    if not await attributes.insert_attribute(transaction, attribute, author):
        raise AttributeExistsError("an attribute with this code is declared and never changes: choose another code")
    if is_told(attribute):
        await outbox.record(transaction, [attribute_declared(transaction, attribute)])


async def set_attribute(transaction: Transaction, told: ToldValue, master_keys: MasterKeys) -> tuple[Entry, Outcome]:
    """Keep what is said of a member, and say what became of it. Locks the member. What may be told is told.

    An entry that is older than the one which holds is kept and changes nothing; one that says the same as that one,
    from the same source and of the same time, is not kept twice.

    Raises:
        AttributeUnknownError, AttributeValueError, StatedInFutureError, MemberNotFoundError, MemberGoneError: nothing
        is kept.
    """
    attribute = await attributes.find_attribute(transaction, told.code)
    if attribute is None:
        raise AttributeUnknownError("no attribute with this code is declared: see GET /v1/attributes")
    member = await registry.lock_member(transaction, told.member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    judge_open(member.status)
    key = await open_key(transaction, told.member_id, master_keys)
    entry = _entry(attribute, told, transaction.now)
    present = await attributes.find_entry(transaction, told.member_id, told.code)
    holding = None if present is None else read(attribute, present, key)
    outcome = outcome_of(entry, holding)
    if outcome == "unchanged" and holding is not None:
        return holding, outcome
    version = await attributes.insert_entry(transaction, stored(attribute, entry, key), holds=outcome == "in_effect")
    if version is not None and is_told(attribute):
        value = attributes.ToldValue(entry.member_id, entry.code, version, entry.canonical)
        await outbox.record(transaction, [attribute_changed(transaction, value)])
    return entry, outcome


def _entry(attribute: Attribute, told: ToldValue, now: datetime) -> Entry:
    return Entry(
        entry_id=told.entry_id,
        member_id=told.member_id,
        code=told.code,
        canonical=None if told.told is None else canonical(attribute, told.told),
        source=told.source,
        stated_at=stated_time(told.stated_at, now),
        recorded_at=now,
        recorded_by=told.recorded_by,
    )
