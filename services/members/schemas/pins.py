"""What HTTP says of PINs. No answer holds one."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from services.members.domain.pins import Pin, PinChange, PinChangeKind, PinOutcome, PinState, TriedPin
from services.members.schemas.fields import AnswerModel
from shared.pins import PinText
from shared.web import Body


class PinBody(Body):
    """The PIN that a member is to have; ``current_pin`` where there is one."""

    pin: PinText
    current_pin: PinText | None = None


class TriedPinBody(Body):
    """A PIN, as somebody typed it who says to be the member."""

    pin: PinText


class PinAnswer(AnswerModel):
    """How a member's PIN stands. ``resting``: it confirms nothing before ``counts_from``."""

    state: PinState
    set_at: datetime | None = None
    counts_from: datetime | None = None
    locked_until: datetime | None = None

    @classmethod
    def of(cls, pin: Pin | None, now: datetime) -> Self:
        """The answer for a member's PIN, or for none."""
        if pin is None:
            return cls(state="none")
        state = pin.state(now)
        locked_until = pin.locked_until if state == "locked" else None
        return cls(state=state, set_at=pin.set_at, counts_from=pin.counts_from, locked_until=locked_until)


class ResetPinAnswer(AnswerModel):
    """The member has no PIN. ``was_set``: it had one."""

    member_id: UUID
    was_set: bool


class ConfirmingAnswer(PinAnswer):
    """How a member can confirm that points may leave: by its PIN, if that counts, and by a code that is mailed."""

    has_address: bool = Field(description="Whether there is an e-mail address, to which a code could go.")


class PinChangeAnswer(AnswerModel):
    """What happened to a member's PIN, when, and by which client; of a lock, which one tried the last wrong PIN."""

    version: int
    change: PinChangeKind
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, change: PinChange) -> Self:
        """The answer for a change."""
        return cls(
            version=change.version,
            change=change.change,
            changed_by=change.changed_by,
            changed_at=change.changed_at,
        )


class TriedPinAnswer(AnswerModel):
    """What became of a try; it was counted, unless the PIN rests, is locked or is none."""

    outcome: PinOutcome
    tries_left: int | None = Field(description="How many wrong ones may still come, after a wrong one.")
    locked_until: datetime | None = Field(description="When it counts again, where it is locked, also by this try.")

    @classmethod
    def of(cls, tried: TriedPin) -> Self:
        """The answer for a try."""
        return cls(outcome=tried.outcome, tries_left=tried.tries_left, locked_until=tried.locked_until)
