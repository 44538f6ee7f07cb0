"""A return that names no purchase, as it is kept, and what people may make of one that waits. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from services.accrual.domain.returns import RefusedReturn, add_returned
from shared.events.purchases import PurchaseData, ReturnLine, ReturnRecorded
from shared.receipt_key import receipt_id_of

CaseState: TypeAlias = Literal["ignored", "taken_back", "waiting", "linked", "dismissed"]
Proposal: TypeAlias = Literal["link", "dismiss"]


class UnlinkedReturnError(Exception):
    """Why nothing is made of an unlinked return."""


class CaseNotFoundError(UnlinkedReturnError):
    """There is no such unlinked return."""


class CaseDecidedError(UnlinkedReturnError):
    """It waits for nobody, or not for this."""


class ProposalWaitsError(UnlinkedReturnError):
    """Something else is proposed for it, and waits for a second person."""


class OwnProposalError(UnlinkedReturnError):
    """Who proposed it is no second person."""


class NotLinkableError(UnlinkedReturnError):
    """The return cannot be one of that purchase; the words say why."""


@dataclass(frozen=True, slots=True)
class UnlinkedCase:
    """An unlinked return as it stands. ``points`` were taken, ``became_debt`` of them owed; ``clipped`` were not there.

    ``lines`` are, by line of the return, the lines of the purchase that somebody says they were bought with.
    """

    natural_key: bytes
    partner_id: str
    owner_id: UUID | None
    occurred_at: datetime
    came_at: datetime
    state: CaseState
    rule_set_version: int | None = None
    mapping_version: int = 0
    points: int = 0
    became_debt: int = 0
    clipped: int = 0
    event: bytes | None = None
    proposal: Proposal | None = None
    original_key: bytes | None = None
    lines: Mapping[int, int] = field(default_factory=dict)
    reason_code: str | None = None
    proposed_by: str | None = None
    proposed_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None

    def proposes_the_same(self, other: "UnlinkedCase") -> bool:
        """Whether one person has proposed the same for both."""
        return all(getattr(self, name) == getattr(other, name) for name in _PROPOSED)

    def without_proposal(self) -> "UnlinkedCase":
        """The same, for which nothing is proposed any more."""
        return replace(
            self, proposal=None, original_key=None, lines={}, reason_code=None, proposed_by=None, proposed_at=None
        )

    def decided(self, decided_by: str, now: datetime) -> "UnlinkedCase":
        """The same, with what was proposed done."""
        state: CaseState = "linked" if self.proposal == "link" else "dismissed"
        return replace(self, state=state, decided_by=decided_by, decided_at=now)


_PROPOSED: Final = ("proposal", "original_key", "lines", "reason_code", "proposed_by")


def linked(event: ReturnRecorded, original_key: bytes, lines: Mapping[int, int]) -> ReturnRecorded:
    """The return as it is once people have said with which lines of which purchase its goods were bought."""
    told = tuple(
        line.model_copy(update={"original_line_id": lines.get(line.line_id, line.original_line_id)})
        for line in event.data.lines
    )
    changes = {"original_receipt_id": receipt_id_of(original_key), "lines": told}
    return event.model_copy(update={"data": event.data.model_copy(update=changes)})


def require_lines_of(purchase: PurchaseData, returned_before: Mapping[int, int], lines: Iterable[ReturnLine]) -> None:
    """Nothing, where all of these lines may come back of a purchase.

    Raises:
        NotLinkableError: it has no such line, or not so much of it is left.
    """
    found = add_returned(purchase, returned_before, lines)
    if isinstance(found, RefusedReturn):
        raise NotLinkableError(f"{found.detail}; say in /lines which line of the purchase each of them is")
