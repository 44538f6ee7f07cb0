"""A case: something that a person looks at and closes, with what that does to the awards it holds."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeAlias, assert_never
from uuid import UUID

from services.fraud.domain.outcomes import Action
from shared.events.fraud import CaseOutcome

CaseState: TypeAlias = Literal["open", "closed"]
HoldAction: TypeAlias = Literal["hold", "release"]

# A hold that a person confirmed does not end by time, and its event must name an end.
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class CaseClosedOtherwiseError(Exception):
    """The case was closed before, with another outcome; that one stands."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands. ``receipts`` counts the awards that were held for it."""

    case_id: UUID
    member_id: UUID
    operator_hash: str
    partner_id: str
    rule_code: str
    state: CaseState
    outcome: CaseOutcome | None
    version: int
    receipts: int
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    note: str | None


class CaseSignal(NamedTuple):
    """A rule that fired on a receipt of the case: what was observed, against which threshold, in which window."""

    signal_id: UUID
    receipt_key: bytes
    rule_code: str
    action: Action
    observed: int
    threshold: int
    window: str
    raised_at: datetime


class HeldReceipt(NamedTuple):
    """A receipt whose award was held for a case. A hold is over at ``ends_at``, whether the case is closed or not.

    ``moved_at``: another member has it since then, and what becomes of the case concerns it no more.
    """

    receipt_key: bytes
    occurred_at: datetime
    store_id: str
    shift_number: int | None
    version: int
    action: HoldAction
    ends_at: datetime | None
    moved_at: datetime | None = None


class HandedOver(NamedTuple):
    """A held receipt that went to another open case, whose rule holds it from now on."""

    receipt: HeldReceipt
    case_id: UUID
    rule_code: str


class Settlement(NamedTuple):
    """What an outcome does to the awards that the case holds."""

    action: HoldAction
    ends_at: datetime | None


def settlement_of(outcome: CaseOutcome) -> Settlement:
    """Confirmed: the awards stay held, for good. Otherwise they are released, since nothing was proven; but what was
    worth looking at keeps counting, and what a person calls honest (a false positive) counts for no rule any more."""
    match outcome:
        case "confirmed":
            return Settlement("hold", NEVER)
        case "valuable_alert" | "false_positive":
            return Settlement("release", None)
        case _:
            assert_never(outcome)
