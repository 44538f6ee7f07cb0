"""The registry's words: persons, members and the identifiers that lead to them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from shared.events.members import IdentifierState, MemberStatus

IdentifierKind: TypeAlias = Literal["card", "phone", "token"]

FIRST_VERSION = 1


@dataclass(frozen=True, slots=True)
class Address:
    """Where post reaches a person: one to three lines, town, country (ISO 3166). Its representation says nothing."""

    lines: tuple[str, ...] = field(repr=False)
    city: str = field(repr=False)
    country: str = field(repr=False)
    postal_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands behind a member. Its representation says nothing, so that no log or traceback can."""

    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    email: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    address: Address | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the rest of the programme may know it. ``version`` rises with every change, identifiers included.

    Month and day of birth stand here and not with the person: others may know them, the year nobody. ``merged_into``
    is who answers for a member that was merged away; ``household_id`` the household that the member belongs to.
    """

    member_id: UUID
    status: MemberStatus
    language: str
    region: str | None
    version: int
    enrolled_at: datetime
    birth_month: int | None = None
    birth_day: int | None = None
    merged_into: UUID | None = None
    household_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """An identifier that somebody says is theirs, as its keyed hash; the value itself is not kept.

    ``card`` is the normal form of a card that is to be linked: it is held against ranges of cards, and stored nowhere.
    """

    type: IdentifierKind
    hash: str
    card: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a till reads, and whose it is. ``version`` is the identifier's own."""

    hash: str
    type: IdentifierKind
    member_id: UUID
    state: IdentifierState
    version: int
    linked_at: datetime
