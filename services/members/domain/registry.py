"""The registry's words: persons, members and the identifiers that lead to them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from shared.events.members import IdentifierState, MemberStatus
from shared.ids import key_version_of

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
    """An identifier that somebody says is theirs, as its keyed hash, and the hash under the second key while two keys
    are valid. Its normal form, ``value``, is kept sealed alone.

    ``card`` is the normal form of a card that is to be linked: it is held against ranges of cards.
    """

    type: IdentifierKind
    hash: str
    card: str | None = field(default=None, repr=False, compare=False)
    second_hash: str | None = None
    value: str | None = field(default=None, repr=False, compare=False)

    @property
    def hashes(self) -> tuple[str, ...]:
        """All that may stand for it."""
        return (self.hash,) if self.second_hash is None else (self.hash, self.second_hash)


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a till reads, and whose it is, under one of its hashes; ``version`` is that hash's own.

    While identifiers are re-keyed one may stand there twice, under one ``identifier_id``: its twins have one owner and
    one state.
    """

    hash: str
    type: IdentifierKind
    member_id: UUID
    state: IdentifierState
    version: int
    linked_at: datetime
    identifier_id: UUID | None = None

    @property
    def key_version(self) -> int:
        """The version of the key that it was hashed with."""
        return key_version_of(self.hash)


def newest_hashes(identifiers: Iterable[Identifier]) -> list[Identifier]:
    """Each identifier once, in the given order, under the hash of its newest key: that is what answers name."""
    newest: dict[UUID | str, Identifier] = {}
    for one in identifiers:
        key = one.identifier_id or one.hash
        if key not in newest or newest[key].key_version < one.key_version:
            newest[key] = one
    return list(newest.values())
