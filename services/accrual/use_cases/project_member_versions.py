"""Keeps what members were, version by version, so that a receipt is judged by what was in force at its time."""

from collections.abc import Sequence
from uuid import UUID

from services.accrual.domain.member_versions import MemberState, MemberVersion, news_of
from services.accrual.repository import member_attributes, member_versions
from services.accrual.repository.member_attributes import Key, Says
from shared.database import Transaction
from shared.events.members import AttributeDeclared, MemberAttributeChanged, MemberEvent, MemberStated


async def project_member_versions(transaction: Transaction, events: Sequence[MemberEvent]) -> None:
    """Take in what these events tell of members, whose rows are written and locked by now.

    Idempotent: what is not newer than what is known changes nothing. Nobody who is erased or merged away comes back.
    """
    told: dict[UUID, list[MemberVersion[MemberState]]] = {}
    for event in events:
        if isinstance(event, MemberStated):
            data = event.data
            state = MemberState(data.birth_month, data.birth_day, data.household_id)
            told.setdefault(data.member_id, []).append(MemberVersion(data.member_id, data.version, event.time, state))
    if not told:
        return
    known = await member_versions.load_newest(transaction, told)
    rows = [row for member_id, newest in known.items() for row in news_of(newest, told[member_id])]
    if rows:
        await member_versions.save(transaction, rows)


async def project_member_attributes(transaction: Transaction, events: Sequence[MemberEvent]) -> None:
    """Take in attributes that were declared, and what members have under them; these members are locked by now.

    What is told first counts from its own time. Idempotent, as above.
    """
    told: dict[Key, list[MemberVersion[Says]]] = {}
    for event in events:
        if isinstance(event, AttributeDeclared):
            await member_attributes.declare(transaction, event.data)
        elif isinstance(event, MemberAttributeChanged):
            data = event.data
            version = MemberVersion[Says](data.member_id, data.version, event.time, data.says)
            told.setdefault((data.member_id, data.code), []).append(version)
    if not told:
        return
    known = await member_attributes.load_newest(transaction, told)
    rows = [(key[1], row) for key, newest in known.items() for row in news_of(newest, told[key], first_since=None)]
    if rows:
        await member_attributes.save(transaction, rows)
