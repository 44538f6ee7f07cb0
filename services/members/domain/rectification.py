"""What a person has corrected. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from services.members.domain.persons import judge_birth_date
from services.members.domain.registry import Member, Person


@dataclass(frozen=True, slots=True)
class Rectification:
    """What is to be other than it was; what is not named stays.

    ``person`` and ``member`` name fields of ``Person`` and ``Member``; ``email_hashes`` are there where the e-mail
    address is. ``version`` is the one that the author has read.
    """

    member_id: UUID
    version: int
    changed_by: str
    person: Mapping[str, Any] = field(repr=False)
    member: Mapping[str, Any] = field(repr=False)
    email_hashes: tuple[str, ...] = field(default=(), repr=False)


def rectified(member: Member, person: Person, change: Rectification, today: date) -> tuple[Member, Person]:
    """Both as they are afterwards; the member's version rises if anything is other than it was.

    Raises:
        BornLaterError: the date of birth is not there yet.
    """
    new_person = replace(person, **change.person)
    born = new_person.birth_date
    judge_birth_date(born, today)
    new_member = replace(
        member,
        **change.member,
        birth_month=None if born is None else born.month,
        birth_day=None if born is None else born.day,
    )
    if (new_member, new_person) == (member, person):
        return member, person
    return replace(new_member, version=member.version + 1), new_person


def is_other_address(before: Person, after: Person) -> bool:
    """Whether letters go to somewhere else: letter case makes no other mailbox."""
    return before.email.casefold() != after.email.casefold()
