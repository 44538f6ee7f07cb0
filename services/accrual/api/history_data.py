"""What an export tells of a member's history: receipts that were moved, and what the member was before."""

from datetime import datetime
from typing import Literal, TypeAlias, assert_never
from uuid import UUID

from services.accrual.domain.receipt_moves import MoveRefusal, MoveState
from services.accrual.repository.former_states import FormerAttribute, FormerState
from services.accrual.schemas.fields import Answer
from services.accrual.use_cases.read_history_data import KeptMove, KeptOfHistory
from shared.receipt_key import receipt_id_of


class ReceiptMoveData(Answer):
    """A receipt that was moved from this member, or to it. Who the other one is, and who moved it, is not told."""

    kind: Literal["receipt_move"] = "receipt_move"
    move_id: UUID
    receipt_id: str
    direction: Literal["from", "to"]
    state: MoveState
    refused_because: MoveRefusal | None
    reason_code: str
    points: int
    became_debt: int
    created_at: datetime
    decided_at: datetime | None


class FormerStateData(Answer):
    """What the member was until then, by which receipts of that time are judged."""

    kind: Literal["former_state"] = "former_state"
    since: datetime
    until: datetime
    birth_month: int | None
    birth_day: int | None
    household_id: UUID | None


class FormerAttributeData(Answer):
    """What was said of the member under an attribute until then; null: nothing."""

    kind: Literal["former_attribute"] = "former_attribute"
    code: str
    since: datetime
    until: datetime
    value: str | None


HistoryMemberData: TypeAlias = ReceiptMoveData | FormerStateData | FormerAttributeData


def told_of_history(kept: KeptOfHistory) -> HistoryMemberData:
    """What is kept, as it is told."""
    match kept:
        case KeptMove(move=move, is_from=is_from):
            return ReceiptMoveData(
                move_id=move.move_id,
                receipt_id=receipt_id_of(move.natural_key),
                direction="from" if is_from else "to",
                state=move.state,
                refused_because=move.refusal,
                reason_code=move.reason_code,
                points=move.taken_points if is_from else move.given_points,
                became_debt=move.became_debt if is_from else 0,
                created_at=move.created_at,
                decided_at=move.decided_at,
            )
        case FormerState():
            return FormerStateData(
                since=kept.since,
                until=kept.until,
                birth_month=kept.birth_month,
                birth_day=kept.birth_day,
                household_id=kept.household_id,
            )
        case FormerAttribute():
            return FormerAttributeData(code=kept.code, since=kept.since, until=kept.until, value=kept.says)
        case _:
            assert_never(kept)
