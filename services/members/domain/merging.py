"""Whether two members may be made one, and what the one that stays is like then. Pure."""

from dataclasses import dataclass, replace
from uuid import UUID

from services.members.domain.consents import Consent, in_effect
from services.members.domain.errors import (
    MemberMergedError,
    MemberNotFoundError,
    MergeIntoItselfError,
    MergeLiftsLimitError,
)
from services.members.domain.registry import Member, Person
from services.members.domain.statuses import judge_open


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """Who turned out to be whom: ``merged_id`` goes, ``survivor_id`` stays. ``author`` is the API client."""

    survivor_id: UUID
    merged_id: UUID
    reason_code: str
    author: str


def judge_pair(request: MergeRequest) -> None:
    """Whether these are two.

    Raises:
        MergeIntoItselfError
    """
    if request.survivor_id == request.merged_id:
        raise MergeIntoItselfError("/merged_member_id: name another member than the one that stays")


def judge_merge(survivor: Member | None, merged: Member | None) -> bool:
    """Whether there is anything to do; the two may have been merged this way before.

    A merge must not lift a limit: a member who is suspended, or may only earn, goes into one of the same status.

    Raises:
        MemberNotFoundError: one of them is not there.
        MemberMergedError: one of them was merged into somebody else.
        MemberGoneError: one of them is closed or erased.
        MergeLiftsLimitError: the one that goes is limited otherwise than the one that stays.
    """
    if survivor is None or merged is None:
        raise MemberNotFoundError("there is no such member")
    refuse_merged(survivor)
    if merged.merged_into == survivor.member_id:
        return False
    refuse_merged(merged)
    judge_open(survivor.status)
    judge_open(merged.status)
    if merged.status not in ("active", survivor.status):
        raise MergeLiftsLimitError(
            f"the member that goes is {merged.status} and the other one is {survivor.status}: settle that first"
        )
    return True


def refuse_merged(member: Member) -> None:
    """Whether this member still answers for itself.

    Raises:
        MemberMergedError: it was merged into another one, which the error names.
    """
    if member.merged_into is not None:
        raise MemberMergedError(member.merged_into)


def joined_person(survivor: Person | None, merged: Person | None) -> Person | None:
    """The person who stays: what the survivor lacks is filled from the other one, and nothing is overwritten."""
    if survivor is None or merged is None:
        return survivor or merged
    return replace(
        survivor,
        phone=survivor.phone or merged.phone,
        birth_date=survivor.birth_date or merged.birth_date,
        address=survivor.address or merged.address,
    )


def joined_member(survivor: Member, person: Person | None) -> Member:
    """The survivor at its next version, born when the person was."""
    born = None if person is None else person.birth_date
    return replace(
        survivor,
        version=survivor.version + 1,
        birth_month=survivor.birth_month if born is None else born.month,
        birth_day=survivor.birth_day if born is None else born.day,
    )


def joined_consents(survivor_id: UUID, held: list[Consent], brought: list[Consent]) -> list[Consent]:
    """The consents that change for the survivor: of two statements on one thing the one that was made last holds."""
    present = {replace(consent.statement.key, member_id=survivor_id): consent for consent in held}
    changed = []
    for consent in brought:
        statement = replace(consent.statement, key=replace(consent.statement.key, member_id=survivor_id))
        own = present.get(statement.key)
        if own is None or statement.precedence > own.statement.precedence:
            changed.append(in_effect(statement, own))
    return changed
