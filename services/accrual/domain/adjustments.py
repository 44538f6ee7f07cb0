"""Points that people give and take by hand: for what reasons, up to what without a second person. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from services.accrual.domain.moved_alone import AloneLimits
from shared.events.members import MemberStatus
from shared.ledger import AdjustDown, AdjustUp, LotTerms, WriteOff
from shared.ledger.terms import PROGRAMME
from shared.telemetry.masking import mask_text

POINTS_MAX: Final = 10**12
NOTE_LENGTH_MAX: Final = 200
_IDS: Final = UUID("5d0f4c2e-8f43-4d0c-9a51-3d6f6f2f7a10")

AdjustmentState: TypeAlias = Literal["waiting", "posted", "refused"]
# Points given or taken; points that had lapsed, given back; debt, forgiven.
Act: TypeAlias = Literal["adjust", "reinstate", "write_off"]
Basis: TypeAlias = Literal["purchase", "gift", "compensation", "prize", "staff"]
# Why nothing was posted: for good, and a new adjustment may be asked for.
Refusal: TypeAlias = Literal[
    "insufficient_points",
    "member_unknown",
    "member_closed",
    "member_erased",
    "not_approved",
    "expired",
    "second_person_needed",
    "nothing_owed",
]


class AdjustmentRefusalError(Exception):
    """Why an adjustment is not taken."""


class UnknownAdjustmentReasonError(AdjustmentRefusalError):
    """The programme has not declared this reason."""


class UnusableAdjustmentError(AdjustmentRefusalError):
    """It contradicts itself, or says what it may not say, in this field."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"/{field}: {detail}")
        self.field = field


class AdjustmentNotFoundError(AdjustmentRefusalError):
    """There is no such adjustment."""


class AdjustmentDecidedError(AdjustmentRefusalError):
    """It was decided before, and not this way."""


class OwnAdjustmentError(AdjustmentRefusalError):
    """Who asked for it may not approve it."""


class AdjustmentExistsError(AdjustmentRefusalError):
    """Another adjustment was asked for under the same key."""


class AdjustmentReason(BaseModel):
    """A reason that the programme has declared. ``basis`` is what lots say of their points, ``kind`` what reports say.

    Without ``expires_on`` in the adjustment, points last ``expires_after_days`` (absent: for ever).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
    kind: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")] = "compensation"
    basis: Basis = "compensation"
    expires_after_days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = None


DEFAULT_REASONS: Final = (
    AdjustmentReason(code="complaint"),
    AdjustmentReason(code="missing_points"),
    AdjustmentReason(code="mistake", kind="correction"),
    AdjustmentReason(code="fraud_confirmed", kind="correction"),
    AdjustmentReason(code="goodwill", kind="goodwill", basis="gift"),
    AdjustmentReason(code="prize", kind="goodwill", basis="prize"),
    AdjustmentReason(code="staff", kind="goodwill", basis="staff"),
)


@dataclass(frozen=True, slots=True)
class AdjustmentRules:
    """What the programme has set: reasons by code, and what one person moves alone: by one, by a file, and on a day."""

    reasons: Mapping[str, AdjustmentReason]
    alone: AloneLimits
    file_points_max_alone: int

    @classmethod
    def of(
        cls,
        reasons: Iterable[AdjustmentReason],
        points_max: int,
        file_points_max: int,
        author_day_points_max: int = POINTS_MAX,
        member_day_points_max: int = POINTS_MAX,
    ) -> "AdjustmentRules":
        """From settings."""
        alone = AloneLimits(points_max, author_day_points_max, member_day_points_max)
        return cls({reason.code: reason for reason in reasons}, alone, file_points_max)

    @property
    def points_max_alone(self) -> int:
        """How many points one person moves at once without a second one."""
        return self.alone.points_max

    def reason(self, code: str) -> AdjustmentReason:
        """The declared reason.

        Raises:
            UnknownAdjustmentReasonError: there is none; the message names those there are.
        """
        found = self.reasons.get(code)
        if found is None:
            raise UnknownAdjustmentReasonError(f"/reason_code: declared are {', '.join(sorted(self.reasons))}")
        return found


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What was asked for, and what became of it. ``points`` is signed, and so is ``posted_points``: what was moved.

    ``member_id`` stands as it was asked for: of who was merged away, the survivor has the points. ``is_clipped``: where
    less is there than is to be taken, as much as there is. ``decided_by`` is the second person, where one decided.

    Of a reinstatement ``lapsed_since`` is the first day of expiry whose points may be given back. Of a write-off
    ``points`` are owed, and ``posted_points`` of them were forgiven.
    """

    adjustment_id: UUID
    member_id: UUID
    point_type: str
    points: int
    reason_code: str
    kind: str
    basis: Basis
    note: str | None
    expires_on: date | None
    is_clipped: bool
    created_by: str
    created_at: datetime
    file_id: UUID | None = None
    line: int | None = None
    state: AdjustmentState = "waiting"
    refusal: Refusal | None = None
    posted_points: int = 0
    decided_by: str | None = None
    decided_at: datetime | None = None
    act: Act = "adjust"
    lapsed_since: date | None = None

    @property
    def reference(self) -> bytes:
        """The natural key of the effect, by which the ledger names it."""
        return b"adjustment:" + self.adjustment_id.bytes

    def refused(self, refusal: Refusal, decided_by: str | None, now: datetime) -> "Adjustment":
        """The same, and nothing comes of it. Of an erased person no words are kept."""
        note = None if refusal == "member_erased" else self.note
        return replace(self, state="refused", refusal=refusal, note=note, decided_by=decided_by, decided_at=now)

    def posted(self, points: int, decided_by: str | None, now: datetime) -> "Adjustment":
        """The same, with as many points moved."""
        return replace(self, state="posted", posted_points=points, decided_by=decided_by, decided_at=now)

    def asks_the_same(self, other: "Adjustment") -> bool:
        """Whether both ask for the same, whatever became of either. A note may be forgotten meanwhile."""
        return all(getattr(self, name) == getattr(other, name) for name in _ASKED)


_ASKED: Final = ("member_id", "point_type", "points", "reason_code", "is_clipped", "created_by", "act")


def id_of_request(client_id: str, key: str) -> UUID:
    """The id of what a client asks for under an Idempotency-Key: the same when the answer is long forgotten."""
    return uuid5(_IDS, f"{client_id}\n{key}")


def id_of_line(file_id: UUID, line: int) -> UUID:
    """The id of what a file asks for on a line: the same however often the file is sent."""
    return uuid5(file_id, str(line))


def judge(adjustment: Adjustment, today: date) -> None:
    """Whether an adjustment can be meant.

    Raises:
        UnusableAdjustmentError: the field, and what to do.
    """
    if adjustment.points == 0:
        raise UnusableAdjustmentError("points", "an adjustment gives or takes something: name another number than 0")
    if adjustment.points < 0 and adjustment.expires_on is not None:
        raise UnusableAdjustmentError("expires_on", "points that are taken do not expire: leave it out")
    if adjustment.points > 0 and adjustment.is_clipped:
        raise UnusableAdjustmentError("clip", "only what is taken can be clipped: leave it out")
    if adjustment.expires_on is not None and adjustment.expires_on <= today:
        raise UnusableAdjustmentError("expires_on", "it is the first day on which they are gone: name one after today")
    if adjustment.note is not None and mask_text(adjustment.note) != adjustment.note:
        raise UnusableAdjustmentError("note", "it holds what looks like an address, a phone or a card: leave that out")


def expiry_of(reason: AdjustmentReason, points: int, expires_on: date | None, today: date) -> date | None:
    """When given points expire: as asked, else as the reason says."""
    if expires_on is not None or points < 0 or reason.expires_after_days is None:
        return expires_on
    return today + timedelta(days=reason.expires_after_days)


def why_not_posted(adjustment: Adjustment, status: MemberStatus | None, today: date) -> Refusal | None:
    """Why nothing can be given to, or taken from, a member of this status (None: not heard of).

    A suspended member has points all the same, and debt is forgiven of whoever has left, too. One that is merged, and
    whose survivor was not heard of yet, brings them along.
    """
    if status is None:
        return "member_unknown"
    if status == "closed" and adjustment.act != "write_off":
        return "member_closed"
    if status == "erased":
        return "member_erased"
    if adjustment.points > 0 and adjustment.expires_on is not None and adjustment.expires_on <= today:
        return "expired"  # it waited for its approval for too long
    return None


def command_of(adjustment: Adjustment, owner_id: UUID, today: date) -> AdjustUp | AdjustDown | WriteOff:
    """What the ledger is asked for; a reinstatement asks for several lots (``reinstatement.commands_of``)."""
    if adjustment.act == "write_off":
        return WriteOff(owner_id, adjustment.point_type, adjustment.reference, adjustment.points)
    if adjustment.points > 0:
        terms = LotTerms(PROGRAMME, today, adjustment.expires_on, adjustment.basis)
        return AdjustUp(owner_id, adjustment.point_type, adjustment.reference, adjustment.points, terms)
    return AdjustDown(
        owner_id, adjustment.point_type, adjustment.reference, -adjustment.points, is_partial=adjustment.is_clipped
    )
