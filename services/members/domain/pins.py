"""A member's PIN: which are refused, how tries are counted, and from when on it counts. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, TypeAlias
from uuid import UUID

from services.members.domain.errors import RegistryRefusalError

LOCKED_FOR_MAX = timedelta(hours=24)
LOCKS_COUNTED_MAX = 10  # the time has long reached its end by then

PinState: TypeAlias = Literal["none", "resting", "counts", "locked"]
PinChangeKind: TypeAlias = Literal["set", "changed", "reset", "locked"]
PinOutcome: TypeAlias = Literal["verified", "wrong", "locked", "resting", "none"]

_SAME, _UP, _DOWN = {0}, {1}, {9}


class TrivialPinError(RegistryRefusalError):
    """Whoever guesses tries this one first."""


class WrongPinError(RegistryRefusalError):
    """This is not the present PIN."""

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"/current_pin: this is not the present PIN; {tries_left} more may be tried")
        self.tries_left = tries_left


class CurrentPinNeededError(RegistryRefusalError):
    """There is a PIN already, and the request does not say it."""


class NoPinError(RegistryRefusalError):
    """A PIN is to be changed, and there is none."""


class PinLockedError(RegistryRefusalError):
    """Too many wrong ones came."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"too many wrong PINs were tried: this one counts again from {until.isoformat()} on")
        self.until = until


class PinSetMeanwhileError(RegistryRefusalError):
    """Somebody else set, changed or reset it since it was proven."""


@dataclass(frozen=True, slots=True)
class PinRules:
    """After ``tries_max`` wrong ones in a row a PIN is locked, the first time for ``locked_for``, and each time that
    follows for twice as long, up to ``LOCKED_FOR_MAX``. A PIN that follows none counts after ``rests_for``: whoever has
    got hold of an account could set one to confirm with it what a code by e-mail would stop."""

    tries_max: int
    locked_for: timedelta
    rests_for: timedelta


@dataclass(frozen=True, slots=True)
class Pin:
    """A member's PIN. ``locks``: how often it was locked since somebody knew it last. Its ``repr`` shows no hash."""

    member_id: UUID
    sealed: bytes
    set_at: datetime
    counts_from: datetime
    wrong_tries: int = 0
    locks: int = 0
    locked_until: datetime | None = None

    def __repr__(self) -> str:
        return f"Pin(of {self.member_id})"

    def state(self, now: datetime) -> PinState:
        """How it stands."""
        if self.locked_until is not None and now < self.locked_until:
            return "locked"
        return "counts" if now >= self.counts_from else "resting"

    def with_try_taken(self, rules: PinRules, now: datetime) -> "Pin":
        """One try less, before anybody knows whether it was a right one: so many at once are no more than one by one.

        Raises:
            PinLockedError: none is left.
        """
        if self.locked_until is not None and now < self.locked_until:
            raise PinLockedError(self.locked_until)
        taken = 1 if self.locked_until is not None else self.wrong_tries + 1
        if taken < rules.tries_max:
            return replace(self, wrong_tries=taken, locked_until=None)
        lasts = min(rules.locked_for * 2**self.locks, max(LOCKED_FOR_MAX, rules.locked_for))
        locks = min(self.locks + 1, LOCKS_COUNTED_MAX)
        return replace(self, wrong_tries=taken, locks=locks, locked_until=now + lasts)

    def tries_left(self, rules: PinRules) -> int:
        """How many wrong ones may still come."""
        return max(rules.tries_max - self.wrong_tries, 0)


@dataclass(frozen=True, slots=True)
class TriedPin:
    """What became of a try. ``matched``: the place, among those that were tried, of the right one."""

    outcome: PinOutcome
    pin: Pin | None = None
    tries_left: int | None = None
    locked_until: datetime | None = None
    matched: int | None = None


@dataclass(frozen=True, slots=True)
class PinChange:
    """What happened to a member's PIN, and which client did it, or tried the wrong ones that locked it."""

    member_id: UUID
    version: int
    change: PinChangeKind
    changed_by: str
    changed_at: datetime


def judge_pin(pin: str, birth_month: int | None, birth_day: int | None) -> None:
    """Whether a PIN may be set: not the same digit throughout, nor two by turns, nor a run up or down, nor the
    birthday.

    Raises:
        TrivialPinError
    """
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if steps in (_SAME, _UP, _DOWN) or pin == pin[:2] * (len(pin) // 2):
        raise TrivialPinError("/pin: one digit or two repeated, or digits in a row, are guessed first: use another PIN")
    if birth_month is not None and birth_day is not None:
        days = (f"{birth_month:02}{birth_day:02}", f"{birth_day:02}{birth_month:02}")
        if any(day in pin for day in days):
            raise TrivialPinError("/pin: the member's birthday is guessed first: use another PIN")
