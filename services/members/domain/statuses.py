"""What a member's status allows, and which status may follow which. The tables are the rule; nothing else decides."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from services.members.domain.errors import MemberGoneError, StatusChangeRefusedError, UnknownReasonError
from shared.events.members import MemberStatus

# What may be asked for. Merging and erasing are acts of their own, which set their status themselves.
RequestedStatus: TypeAlias = Literal["active", "suspended", "earn_only", "spend_locked", "closed"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a member may do. The services that let members do it keep to this table, each in its own way."""

    may_earn: bool
    may_spend: bool
    may_be_messaged: bool


ALLOWANCES: Mapping[MemberStatus, Allowance] = {
    "active": Allowance(may_earn=True, may_spend=True, may_be_messaged=True),
    # Under inquiry: receipts wait for its end. The member still has points to be told of.
    "suspended": Allowance(may_earn=False, may_spend=False, may_be_messaged=True),
    # By the programme's rules: a person who is not verified yet, or too young to spend.
    "earn_only": Allowance(may_earn=True, may_spend=False, may_be_messaged=True),
    # For the member's safety: somebody else may have the card.
    "spend_locked": Allowance(may_earn=True, may_spend=False, may_be_messaged=True),
    # The surviving member answers for this one.
    "merged": Allowance(may_earn=False, may_spend=False, may_be_messaged=False),
    "closed": Allowance(may_earn=False, may_spend=False, may_be_messaged=False),
    "erased": Allowance(may_earn=False, may_spend=False, may_be_messaged=False),
}

_OPEN: frozenset[MemberStatus] = frozenset({"active", "suspended", "earn_only", "spend_locked"})

# A closed member's points are gone and others were told so: who comes back enrols anew. Anybody may be erased once.
ALLOWED_CHANGES: Mapping[MemberStatus, frozenset[MemberStatus]] = {
    "active": frozenset({"suspended", "earn_only", "spend_locked", "closed", "merged", "erased"}),
    "suspended": frozenset({"active", "earn_only", "spend_locked", "closed", "merged", "erased"}),
    "earn_only": frozenset({"active", "suspended", "spend_locked", "closed", "merged", "erased"}),
    "spend_locked": frozenset({"active", "suspended", "earn_only", "closed", "merged", "erased"}),
    "merged": frozenset({"erased"}),
    "closed": frozenset({"erased"}),
    "erased": frozenset(),
}


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One change of a member's status, as it stands in the history for ever. ``version`` is the member's after it."""

    member_id: UUID
    version: int
    from_status: MemberStatus
    to_status: MemberStatus
    reason_code: str
    changed_by: str
    changed_at: datetime


def is_open(status: MemberStatus) -> bool:
    """Whether the member takes part at all, with whatever limits: may be changed, and given identifiers."""
    return status in _OPEN


def judge_open(status: MemberStatus) -> None:
    """Whether anything of the member may be changed.

    Raises:
        MemberGoneError: merged, closed or erased.
    """
    if not is_open(status):
        raise MemberGoneError(f"the member is {status}: nothing of it can be changed any more")


def judge_change(before: MemberStatus, after: MemberStatus) -> None:
    """Whether one status may follow another; the same again is no change and not asked here.

    Raises:
        StatusChangeRefusedError
    """
    if after not in ALLOWED_CHANGES[before]:
        allowed = ", ".join(sorted(ALLOWED_CHANGES[before])) or "nothing"
        raise StatusChangeRefusedError(f"a member who is {before} cannot become {after}: only {allowed} may follow")


def judge_reason(reason_code: str, declared: Collection[str]) -> None:
    """Whether the programme knows this reason.

    Raises:
        UnknownReasonError
    """
    if reason_code not in declared:
        raise UnknownReasonError(f"/reason_code: the programme declares these: {', '.join(sorted(declared))}")
