"""``loyalty.fraud``: what was suspected, what is held for it, and what a person decided."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictInt

from shared.events.envelope import Code, Event, Frozen, Points, ReceiptId, Version

CaseOutcome = Literal["confirmed", "valuable_alert", "false_positive"]


class SignalData(Frozen):
    """One rule that fired on one receipt."""

    signal_id: UUID
    member_id: UUID
    receipt_id: ReceiptId
    rule_code: Code
    action: Literal["hold", "flag"]
    observed: StrictInt
    threshold: StrictInt
    window: Code


class PointsHoldData(Frozen):
    """Set aside what is left of this receipt's award. The higher ``version`` of a receipt's decision wins."""

    member_id: UUID
    receipt_id: ReceiptId
    version: Version
    rule_code: Code
    case_id: UUID
    ends_at: AwareDatetime


class PointsReleaseData(Frozen):
    """Give back what is still pending of this receipt's award."""

    member_id: UUID
    receipt_id: ReceiptId
    version: Version
    case_id: UUID
    reason: Code


class ClaimClearedData(Frozen):
    """There is nothing against this receipt, which was claimed for its member later: its points need wait no longer."""

    member_id: UUID
    receipt_id: ReceiptId


class CaseOpenedData(Frozen):
    """A person should look at this."""

    case_id: UUID
    version: Version
    member_id: UUID
    rule_code: Code
    receipt_ids: tuple[ReceiptId, ...]


class CaseClosedData(Frozen):
    """What a person decided."""

    case_id: UUID
    version: Version
    member_id: UUID
    outcome: CaseOutcome


class SpendFlaggedData(Frozen):
    """Points left while fraud did not answer, and it would not have let them go so: ``verdict`` says what it asks for.

    ``subject_id`` is the redemption's or the gift's, as ``kind`` says. ``rule_codes`` are those that asked for it.
    """

    decision_id: UUID
    member_id: UUID
    kind: Literal["hold", "gift"]
    subject_id: UUID
    partner_id: Code | None = None
    point_type: Code
    points: Points
    verdict: Literal["step_up", "deny"]
    rule_codes: tuple[Code, ...]
    rule_set_version: StrictInt


class SignalRaised(Event):
    """A fraud rule fired."""

    type: Literal["loyalty.signal.raised.v1"] = "loyalty.signal.raised.v1"
    data: SignalData


class PointsHoldRequested(Event):
    """An award is to be held."""

    type: Literal["loyalty.points_hold.requested.v1"] = "loyalty.points_hold.requested.v1"
    data: PointsHoldData


class PointsHoldReleased(Event):
    """A held award is to be released."""

    type: Literal["loyalty.points_hold.released.v1"] = "loyalty.points_hold.released.v1"
    data: PointsReleaseData


class ClaimCleared(Event):
    """A claimed receipt was looked at and is not held."""

    type: Literal["loyalty.claim.cleared.v1"] = "loyalty.claim.cleared.v1"
    data: ClaimClearedData


class CaseOpened(Event):
    """A case was opened."""

    type: Literal["loyalty.case.opened.v1"] = "loyalty.case.opened.v1"
    data: CaseOpenedData


class CaseClosed(Event):
    """A case was closed."""

    type: Literal["loyalty.case.closed.v1"] = "loyalty.case.closed.v1"
    data: CaseClosedData


class SpendFlagged(Event):
    """Points that left without an answer were scored afterwards, and a person should look."""

    type: Literal["loyalty.spend.flagged.v1"] = "loyalty.spend.flagged.v1"
    data: SpendFlaggedData


FraudEvent = Annotated[
    SignalRaised | PointsHoldRequested | PointsHoldReleased | ClaimCleared | CaseOpened | CaseClosed | SpendFlagged,
    Field(discriminator="type"),
]
