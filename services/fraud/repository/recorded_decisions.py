"""Decisions as people read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, desc, null, select

from services.fraud.domain.cases import HoldAction
from services.fraud.domain.outcomes import Action, Result
from services.fraud.tables import decisions, former_decisions, holds
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class StandingHold:
    """What fraud has asked for on a receipt's award, the latest."""

    version: int
    action: HoldAction
    ends_at: datetime | None
    case_id: UUID


class RecordedOutcome(NamedTuple):
    """One rule's part of a decision, and the version of the rules that made it."""

    rule_code: str
    result: Result
    observed: tuple[int, ...]
    rule_set_version: int


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision as it was recorded, and the hold that stands, if there ever was one."""

    receipt_key: bytes
    member_id: UUID
    action: Action
    rule_set_version: int
    outcomes: tuple[RecordedOutcome, ...]
    decided_at: datetime
    raised_by: bytes | None
    raised_at: datetime | None
    hold: StandingHold | None


async def find(transaction: Transaction, receipt_key: bytes) -> RecordedDecision | None:
    """The decision on a receipt, with its outcomes in no particular order."""
    statement = (
        select(decisions, holds.c.version, holds.c.action.label("hold_action"), holds.c.ends_at, holds.c.case_id)
        .join_from(decisions, holds, decisions.c.receipt_key == holds.c.receipt_key, isouter=True)
        .where(decisions.c.receipt_key == receipt_key)
        .order_by(desc(holds.c.version))  # one that was held while it was another member's, too
        .limit(1)
    )
    row = (await transaction.connection.execute(statement)).one_or_none()
    return None if row is None else _decision(row)


async def load_former(transaction: Transaction, receipt_key: bytes) -> list[RecordedDecision]:
    """What was decided of the receipt while it was other members', the first of them first; without holds."""
    statement = (
        select(
            former_decisions,
            null().label("version"),
            null().label("hold_action"),
            null().label("ends_at"),
            null().label("case_id"),
        )
        .where(former_decisions.c.receipt_key == receipt_key)
        .order_by(former_decisions.c.moves)
    )
    return [_decision(row) for row in await transaction.connection.execute(statement)]


def _decision(row: Row[Any]) -> RecordedDecision:
    return RecordedDecision(
        receipt_key=row.receipt_key,
        member_id=row.member_id,
        action=Action(row.action),
        rule_set_version=row.rule_set_version,
        outcomes=tuple(
            RecordedOutcome(code, Result(result), tuple(observed), *(raised_by or (row.rule_set_version,)))
            for code, (result, observed, *raised_by) in row.outcomes.items()
        ),
        decided_at=row.decided_at,
        raised_by=row.raised_by,
        raised_at=row.raised_at,
        hold=None if row.version is None else StandingHold(row.version, row.hold_action, row.ends_at, row.case_id),
    )
