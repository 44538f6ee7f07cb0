"""Enrol many at once: those who can join do, and each of the others is told why not."""

from collections.abc import Sequence

from services.members.domain.errors import BornLaterError
from services.members.domain.joining import Channel, JoiningRefusedError
from services.members.repository import enrolments, joining
from services.members.repository.enrolments import NewMember
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases import announcements
from services.members.use_cases.admit_cards import find_unissued
from services.members.use_cases.enrol_member import Enrolment, identifiers_of, new_member
from shared import outbox
from shared.database import Transaction


class EnrolledMeanwhileError(Exception):
    """Somebody else took one of the identifiers between the look and the insert: roll back, and begin again."""


async def enrol_many(
    transaction: Transaction, wanted: Sequence[Enrolment], master_keys: MasterKeys, enrolled_by: str, channel: Channel
) -> list[str | None]:
    """Enrol whoever may join and claims nothing that is somebody's; in the given order None, or the code of why not.

    Who claims what another one of ``wanted`` has claimed before is refused as ``repeated``. Four statements, however
    many there are; the events stand in the outbox in the given order.

    Raises:
        EnrolledMeanwhileError: the transaction must be rolled back.
    """
    conditions = await joining.conditions_in_force(transaction)
    outcomes: list[str | None] = []
    candidates: list[tuple[int, NewMember]] = []
    for position, enrolment in enumerate(wanted):
        outcomes.append(None)
        try:
            candidates.append((position, new_member(enrolment, conditions, master_keys, transaction.now)))
        except BornLaterError:
            outcomes[position] = "born_later"
        except JoiningRefusedError as refused:
            outcomes[position] = refused.code
    taken = await enrolments.find_taken(transaction, {one for _, new in candidates for one in new.hashes})
    unissued = await find_unissued(transaction, [claim for _, new in candidates for claim in new.claims])
    claimed: set[str] = set()
    new_members: list[NewMember] = []
    for position, new in candidates:
        outcomes[position] = _judge(new, taken, unissued, claimed)
        if outcomes[position] is None:
            claimed.update(new.hashes)
            new_members.append(new)
    if not new_members:
        return outcomes
    granted = await enrolments.insert_members(transaction, new_members, enrolled_by, channel)
    if len(granted) < len(claimed):
        raise EnrolledMeanwhileError("an identifier was taken meanwhile")
    await outbox.record(
        transaction,
        [
            message
            for new in new_members
            for message in announcements.enrolled(new.member, identifiers_of(new, granted))
        ],
    )
    return outcomes


def _judge(new: NewMember, taken: frozenset[str], unissued: frozenset[str], claimed: set[str]) -> str | None:
    if not taken.isdisjoint(new.email_hashes):
        return "already_enrolled"
    if not taken.isdisjoint(new.hashes):
        return "identifier_taken"
    if not unissued.isdisjoint(new.hashes):
        return "card_not_issued"
    return None if claimed.isdisjoint(new.hashes) else "repeated"
