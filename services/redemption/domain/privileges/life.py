"""A privilege from its proposal to its end: proposed by one person, approved by another, ended by either. Pure."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, TypeAlias

from services.redemption.domain.privileges.terms import PrivilegeTerms

PrivilegeState: TypeAlias = Literal["proposed", "approved", "dropped"]


class PrivilegeError(Exception):
    """A step that the state of things refuses. Nothing was changed."""


class UnknownPrivilegeError(PrivilegeError):
    """No privilege bears this id."""

    def __init__(self) -> None:
        super().__init__("there is no such privilege: see the list")


class PrivilegeIdTakenError(PrivilegeError):
    """The id stands for other terms already, for ever."""

    def __init__(self) -> None:
        super().__init__("this id stands for another privilege already, and its terms never change: take a new one")


class OwnPrivilegeError(PrivilegeError):
    """Whoever proposed it may not approve it."""

    def __init__(self) -> None:
        super().__init__("whoever proposed a privilege may not approve it: ask another person")


class PrivilegeStateError(PrivilegeError):
    """The step is not one of this state."""

    def __init__(self, state: str, step: str) -> None:
        super().__init__(f"a privilege that is {state} cannot be {step}")


class NotAnOfferError(PrivilegeError):
    """Only what is for whom it was granted is granted."""

    def __init__(self) -> None:
        super().__init__("this privilege is not granted one by one: its entitlement is of another kind")


@dataclass(frozen=True, slots=True)
class Privilege:
    """Terms, and what people made of them. From ``ended_at`` on nobody has it, whatever day its terms say."""

    terms: PrivilegeTerms
    state: PrivilegeState
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    revision: int = 1

    def is_given(self, moment: datetime, day: date) -> bool:
        """Whether members have it then; ``day`` is that moment's, where the programme is."""
        return self.state == "approved" and self.terms.is_on(day) and (self.ended_at is None or moment < self.ended_at)


def proposed(terms: PrivilegeTerms, author: str, now: datetime) -> Privilege:
    """A proposal; nobody has it yet."""
    return Privilege(terms, "proposed", author, now)


def approved(privilege: Privilege, approver: str, now: datetime) -> Privilege:
    """Members have it from its first day on.

    Raises:
        OwnPrivilegeError, PrivilegeStateError.
    """
    if privilege.state != "proposed":
        raise PrivilegeStateError(privilege.state, "approved")
    if approver == privilege.proposed_by:
        raise OwnPrivilegeError
    return replace(privilege, state="approved", approved_by=approver, approved_at=now, revision=privilege.revision + 1)


def ended(privilege: Privilege, person: str, reason: str, now: datetime) -> Privilege:
    """What is approved is given no more, from now on; a proposal is dropped.

    Raises:
        PrivilegeStateError: it was ended, or dropped, before.
    """
    if privilege.ended_at is not None:
        raise PrivilegeStateError("dropped" if privilege.state == "dropped" else "ended", "ended")
    return replace(
        privilege,
        state="dropped" if privilege.state == "proposed" else privilege.state,
        ended_by=person,
        ended_at=now,
        end_reason=reason,
        revision=privilege.revision + 1,
    )
