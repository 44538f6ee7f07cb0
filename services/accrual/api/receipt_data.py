"""What an export tells of a member's receipts: what they earned, what came back, what corrected them, what waits."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias, assert_never

import orjson
from pydantic import Field

from services.accrual.api.answers import part_answer, return_part_answer
from services.accrual.api.correction_answers import correction_answer
from services.accrual.domain.unlinked_cases import CaseState, UnlinkedCase
from services.accrual.repository.corrections import KeptCorrection
from services.accrual.repository.member_data import KeptAward, KeptParked, KeptRefusal, KeptReturn
from services.accrual.schemas.fields import Answer
from services.accrual.schemas.receipts import AwardPartAnswer, CorrectionAnswer, ReturnPartAnswer
from services.accrual.use_cases.read_member_data import KeptOfReceipt
from shared.events.catalogue import PURCHASES
from shared.receipt_key import receipt_id_of

# Another person's (the cashier's), the identifier, and digests that say nothing.
_NOT_TOLD = {"operator_hash", "identifier_hash", "content_hash", "member_id"}

Document = Annotated[
    dict[str, Any] | None,
    Field(description="The till's document; null once its time in the retention table (documents) is over."),
]


class AppliedRule(Answer):
    """A rule and what it gave."""

    rule_id: str
    points: int


class AwardData(Answer):
    """What a receipt earned, by which rules of which version, and what of it was taken back since."""

    kind: Literal["award"] = "award"
    receipt_id: str
    point_type: str
    points: int
    taken_back: int
    rule_set_version: int
    mapping_version: int
    applied_rules: list[AppliedRule]
    decided_at: datetime
    hold_reason: str | None
    hold_ends_at: datetime | None
    document: Document
    parts: list[AwardPartAnswer] = Field(default_factory=list)


class ReturnedLine(Answer):
    """A line of the purchase, and how much of it came back."""

    line_id: int
    quantity_thousandths: int


class ReturnData(Answer):
    """What a return took back, or a void, or an exchange (``cause``), of which the award tells more. ``given_back`` is
    what the void of an exchange gave again; ``voided_by`` the void of this one. For those ``withheld`` money was kept
    of the refund.
    """

    kind: Literal["return"] = "return"
    cause: Literal["return", "void", "exchange", "handover"]
    clipped: int
    receipt_id: str
    original_receipt_id: str
    points: int
    became_debt: int
    given_back: int
    withheld: int
    voided_by: str | None = None
    lines: list[ReturnedLine]
    decided_at: datetime
    parts: list[ReturnPartAnswer] = Field(default_factory=list)


class UnlinkedReturnData(Answer):
    """A return that names no purchase, and what became of it. ``document`` is null once its time was over."""

    kind: Literal["unlinked_return"] = "unlinked_return"
    state: CaseState
    receipt_id: str
    original_receipt_id: str | None
    points: int
    became_debt: int
    clipped: int
    occurred_at: datetime
    decided_at: datetime | None
    document: Document


class CorrectionData(Answer):
    """What corrected a receipt, and how that stood before and after."""

    kind: Literal["correction"] = "correction"
    correction: CorrectionAnswer
    document: Document


class RefusalData(Answer):
    """A document that was refused."""

    kind: Literal["refusal"] = "refusal"
    receipt_id: str
    reason: str
    detail: str
    refused_at: datetime
    document: Document


class ParkedData(Answer):
    """A document that waits."""

    kind: Literal["parked"] = "parked"
    receipt_id: str
    reason: str
    parked_at: datetime
    document: Document


ReceiptMemberData: TypeAlias = AwardData | ReturnData | UnlinkedReturnData | CorrectionData | RefusalData | ParkedData


def told_of_receipt(kept: KeptOfReceipt) -> ReceiptMemberData:
    """What is kept, as it is told."""
    if isinstance(kept, KeptCorrection):
        return CorrectionData(correction=correction_answer(kept.row), document=_document(kept.document))
    receipt_id = receipt_id_of(kept.natural_key)
    match kept:
        case KeptAward():
            applied = orjson.loads(kept.decision)["applied"]
            return AwardData(
                receipt_id=receipt_id,
                point_type=kept.point_type,
                points=kept.points,
                taken_back=kept.taken_back,
                rule_set_version=kept.rule_set_version,
                mapping_version=kept.mapping_version,
                applied_rules=[AppliedRule(rule_id=rule_id, points=points) for rule_id, points in applied],
                decided_at=kept.decided_at,
                hold_reason=kept.hold_reason,
                hold_ends_at=kept.hold_ends_at,
                document=_document(kept.document),
                parts=[part_answer(part) for part in kept.parts],
            )
        case KeptReturn():
            lines = kept.thousandths_by_line.items()
            return ReturnData(
                cause=kept.cause,
                clipped=kept.clipped,
                receipt_id=receipt_id,
                original_receipt_id=receipt_id_of(kept.original_key),
                points=kept.points,
                became_debt=kept.became_debt,
                given_back=kept.given_back,
                withheld=kept.withheld,
                voided_by=receipt_id_of(kept.voided_by) if kept.voided_by is not None else None,
                lines=[ReturnedLine(line_id=line_id, quantity_thousandths=each) for line_id, each in lines],
                decided_at=kept.decided_at,
                parts=[return_part_answer(part) for part in kept.parts],
            )
        case UnlinkedCase():
            return _told_of_unlinked(kept)
        case KeptRefusal():
            return RefusalData(
                receipt_id=receipt_id,
                reason=kept.reason,
                detail=kept.detail,
                refused_at=kept.refused_at,
                document=_document(kept.document),
            )
        case KeptParked():
            return ParkedData(
                receipt_id=receipt_id,
                reason=kept.reason,
                parked_at=kept.parked_at,
                document=_document(kept.document),
            )
        case _:
            assert_never(kept)


def _told_of_unlinked(kept: UnlinkedCase) -> UnlinkedReturnData:
    return UnlinkedReturnData(
        state=kept.state,
        receipt_id=receipt_id_of(kept.natural_key),
        original_receipt_id=receipt_id_of(kept.original_key) if kept.original_key is not None else None,
        points=kept.points,
        became_debt=kept.became_debt,
        clipped=kept.clipped,
        occurred_at=kept.occurred_at,
        decided_at=kept.decided_at,
        document=_document(kept.event),
    )


def _document(body: bytes | None) -> dict[str, Any] | None:
    if body is None:
        return None
    return PURCHASES.read(body).data.model_dump(mode="json", exclude=_NOT_TOLD, exclude_none=True)
