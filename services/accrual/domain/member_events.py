"""One member event: its identity, what is decided about it, and the days on which time alone makes one. Pure."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID, uuid5

import orjson

from services.accrual.domain.member_event_types import MemberEventType, Period
from shared.events.members import MemberStatus
from shared.ledger import LotTerms
from shared.ledger.terms import PROGRAMME
from shared.passing import PassingError

_IDS: Final = UUID("c2a5f3de-7f0b-4f0e-8f0e-2d8a54ce2a51")
# A source's clock may be ahead of ours by so much.
AHEAD_MAX: Final = timedelta(minutes=5)
LEAP_DAY: Final = (2, 29)

EventState: TypeAlias = Literal["awarded", "refused", "revoked"]
# ``undecidable``: the rules could not be applied to it; somebody must look at them.
EventRefusal: TypeAlias = Literal[
    "limit_reached",
    "not_in_force",
    "too_late",
    "member_closed",
    "member_erased",
    "no_rules_in_force",
    "implausible_points",
    "undecidable",
]


class MemberEventError(Exception):
    """Why nothing was taken."""


class UnknownMemberEventError(MemberEventError):
    """No such type, or not the caller's to tell of."""


class UnusablePayloadError(MemberEventError):
    """The payload, or the time, is not as declared; the message begins with the field."""


class TypeNotApprovedError(MemberEventError, PassingError):
    """Its type waits for a second person: it may be told again."""


class MemberEventConflictError(MemberEventError):
    """This event was told of before, with another payload."""


class EventPointsSpentError(MemberEventError):
    """What it gave is not there any more, and by the rules nobody may owe it: nothing was undone."""


class EventGaveNothingError(MemberEventError):
    """Rules gave nothing for it, or it was undone: nothing of it waits, or ever will."""


class EventMemberNotReadyError(MemberEventError, PassingError):
    """The member is not known here, or suspended: it may be told again."""


@dataclass(frozen=True, slots=True)
class MemberEvent:
    """An event and what became of it. ``member_id`` is as it was told: the survivor answers for who was merged away.

    ``became_debt``: of what was taken back when it was undone; ``clipped``: was not there, and nobody owes it.
    ``available_from`` and ``expires_on`` are its lot's, of several the first one's.
    """

    event_id: UUID
    type_code: str
    type_version: int
    member_id: UUID
    payload: Mapping[str, Any]
    occurred_at: datetime
    recorded_by: str
    recorded_at: datetime
    state: EventState
    refusal: EventRefusal | None = None
    point_type: str = ""
    points: int = 0
    basis: str = "gift"
    available_from: date | None = None
    expires_on: date | None = None
    became_debt: int = 0
    revoked_by: str | None = None
    revoked_at: datetime | None = None
    revoke_reason: str | None = None
    clipped: int = 0

    @property
    def award(self) -> bytes:
        """By which the ledger names what it gave."""
        return b"event:" + self.event_id.bytes

    @property
    def terms(self) -> LotTerms:
        """The lot that its points went to."""
        if self.available_from is None:
            raise ValueError("this event gave nothing")
        return LotTerms(PROGRAMME, self.available_from, self.expires_on, self.basis)

    def revoked(self, became_debt: int, by: str, reason: str, now: datetime, clipped: int = 0) -> "MemberEvent":
        """The same, undone."""
        return replace(
            self,
            state="revoked",
            became_debt=became_debt,
            revoked_by=by,
            revoked_at=now,
            revoke_reason=reason,
            clipped=clipped,
        )


def id_of_event(type_code: str, member_id: UUID, key: Mapping[str, Any]) -> UUID:
    """The event's id, which follows from its natural key: type, member, and the properties that make it one."""
    return uuid5(_IDS, orjson.dumps([type_code, str(member_id), dict(key)], option=orjson.OPT_SORT_KEYS).decode())


def why_refused(
    status: MemberStatus, kind: MemberEventType | None, occurred_at: datetime, now: datetime, window: timedelta
) -> EventRefusal | None:
    """Why an event gives nothing, for good, whatever was given so far."""
    if status in ("closed", "erased"):
        return "member_closed" if status == "closed" else "member_erased"
    if kind is None or not kind.is_active:
        return "not_in_force"
    return "too_late" if now - occurred_at > window else None


def window_of(period: Period, at: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """From when until before when events count together with one at this time: whole days of the programme's zone.

    A week begins on Monday. None: for ever.
    """
    day = at.astimezone(zone).date()
    match period:
        case "day":
            first, after = day, day + timedelta(days=1)
        case "week":
            first = day - timedelta(days=day.weekday())
            after = first + timedelta(days=7)
        case "month":
            first = day.replace(day=1)
            after = (first + timedelta(days=31)).replace(day=1)
        case "year":
            first, after = day.replace(month=1, day=1), day.replace(year=day.year + 1, month=1, day=1)
        case _:
            return None
    return begin_of(first, zone), begin_of(after, zone)


def begin_of(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time(), zone)


def days_kept_on(day: date) -> tuple[tuple[int, int], ...]:
    """The months and days that are celebrated on this day: its own, and on 1 March of a common year 29 February too.

    Never earlier than the day itself: who was born on 29 February is a year older on 1 March.
    """
    own = (day.month, day.day)
    return (own, LEAP_DAY) if own == (3, 1) and not calendar.isleap(day.year) else (own,)
