"""A file of adjustments: its columns, how far it was taken in, and who let it take effect. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from services.accrual.domain.adjustments import (
    Adjustment,
    AdjustmentDecidedError,
    AdjustmentRefusalError,
    AdjustmentRules,
    OwnAdjustmentError,
)

# open: being sent; waiting: for a second person; approved: being posted; posted: every line is decided; refused.
FileState: TypeAlias = Literal["open", "waiting", "approved", "posted", "refused"]

REQUIRED_COLUMNS = ("member_id", "points", "reason_code")
COLUMNS = (*REQUIRED_COLUMNS, "point_type", "expires_on", "note")


class AdjustmentFileNotFoundError(AdjustmentRefusalError):
    """There is no such file."""


class AdjustmentFileExistsError(AdjustmentRefusalError):
    """Somebody else has declared a file of this name."""


class AnotherAuthorError(AdjustmentRefusalError):
    """A file is sent by whoever declared it."""


@dataclass(frozen=True, slots=True)
class AdjustmentFile:
    """How far a file has come. ``content_digest`` is of all records up to ``records_taken``, of which ``accepted`` ask
    for something and ``refused`` came to nothing.

    ``points_total`` are the accepted ones without their signs, ``points_largest`` the largest of them. ``repeats`` is a
    file of the same contents that was finished before. Of the accepted, ``posted`` took effect and ``failed`` did not.
    """

    file_id: UUID
    name: str
    state: FileState
    is_clipped: bool
    records_taken: int
    accepted: int
    refused: int
    points_total: int
    points_largest: int
    content_digest: bytes
    repeats: UUID | None
    posted: int
    failed: int
    created_by: str
    created_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None

    def with_page(
        self, accepted: Sequence[Adjustment], *, refused: int, digest: bytes, repeats: UUID | None
    ) -> "AdjustmentFile":
        """The file when a page more of it was taken in."""
        sizes = [abs(adjustment.points) for adjustment in accepted]
        return replace(
            self,
            records_taken=self.records_taken + len(accepted) + refused,
            accepted=self.accepted + len(accepted),
            refused=self.refused + refused,
            points_total=self.points_total + sum(sizes),
            points_largest=max([self.points_largest, *sizes]),
            content_digest=digest,
            repeats=repeats,
        )

    def finished(self, rules: AdjustmentRules, now: datetime, *, is_beyond_day: bool = False) -> "AdjustmentFile":
        """The file when all of it was taken in: a large one waits for a second person, and so does a repeated one.

        ``is_beyond_day``: with what was moved on this day before, it is more than one person may.
        """
        if self.accepted == 0:
            return replace(self, state="posted", decided_at=now)
        is_large = self.points_total > rules.file_points_max_alone or self.points_largest > rules.points_max_alone
        if is_large or is_beyond_day or self.repeats is not None:
            return replace(self, state="waiting")
        return replace(self, state="approved", decided_at=now)

    def approved(self, approver: str, now: datetime) -> "AdjustmentFile":
        """The file, let through by a second person; the same again is the same.

        Raises:
            AdjustmentDecidedError: it does not wait.
            OwnAdjustmentError: the approver has sent it.
        """
        if self.state in ("approved", "posted") and self.decided_by == approver:
            return self
        _require_waiting(self)
        if approver == self.created_by:
            raise OwnAdjustmentError("who sent a file may not approve it: ask a second person")
        return replace(self, state="approved", decided_by=approver, decided_at=now)

    def turned_down(self, decided_by: str, now: datetime) -> "AdjustmentFile":
        """The file of which nothing comes; the same again is the same.

        Raises:
            AdjustmentDecidedError: it does not wait.
        """
        if self.state == "refused":
            return self
        if self.state != "open":  # one that nobody will send to its end may be dropped, too
            _require_waiting(self)
        return replace(self, state="refused", decided_by=decided_by, decided_at=now)

    def with_decided(self, decided: Sequence[Adjustment]) -> "AdjustmentFile":
        """The file when some more of its lines were decided."""
        posted = sum(adjustment.state == "posted" for adjustment in decided)
        now = replace(self, posted=self.posted + posted, failed=self.failed + len(decided) - posted)
        is_over = self.state == "approved" and now.posted + now.failed == now.accepted
        return replace(now, state="posted") if is_over else now


def row_of(columns: Sequence[str], fields: Sequence[str]) -> dict[str, Any]:
    """A record as the body of an adjustment; what is empty is absent. No number stays a text, and is refused as one."""
    said: dict[str, Any] = {column: value for column, value in zip(columns, fields, strict=True) if value}
    points = said.get("points", "")
    if points.removeprefix("-").removeprefix("+").isdecimal() and points.isascii():
        said["points"] = int(points)
    return said


def _require_waiting(file: AdjustmentFile) -> None:
    if file.state == "open":
        raise AdjustmentDecidedError("the file was not sent to its end yet")
    if file.state != "waiting":
        raise AdjustmentDecidedError(f"the file is {file.state} already")
