"""What is told of receipts that were moved: once of each of the two members, and of each part of the award."""

from collections.abc import Sequence
from typing import Any

from services.accrual.domain.receipt_moves import ReceiptMove
from services.accrual.use_cases.judge_move import Judged
from services.accrual.use_cases.messages import balance_of, message_of_member
from services.accrual.use_cases.move_commands import AskedGiven, AskedTaken
from shared.database import Transaction
from shared.events.award_parts import AwardPart
from shared.events.points import MoveData, ReceiptMoved
from shared.ledger import EarnPending, Posted
from shared.outbox import Message
from shared.receipt_key import receipt_id_of


def moved_messages(
    transaction: Transaction,
    move: ReceiptMove,
    number: int,
    judged: Judged,
    taken: Sequence[tuple[AskedTaken, Posted]],
    given: Sequence[tuple[AskedGiven, Posted]],
) -> list[Message]:
    """That a receipt went from one member, and came to the other: by which reason, and never by whom.

    Each side is told, though no points moved. ``number``: how many moves of the receipt there are with this one.
    """
    award = judged.award
    said: dict[str, Any] = {
        "move_id": move.move_id,
        "move_number": number,
        "receipt_id": receipt_id_of(move.natural_key),
        "partner_id": award.partner_id,
        "point_type": award.point_type,
        "reason_code": move.reason_code,
        "rule_set_version": award.rule_set_version,
        "occurred_at": judged.frozen.purchase.occurred_at,
    }
    went = said | {"member_id": judged.from_id, "other_member_id": judged.to_id, "direction": "from"}
    came = said | {"member_id": judged.to_id, "other_member_id": judged.from_id, "direction": "to"}
    told = [went | _taken(asked, posted) for asked, posted in taken] or [went | {"points": 0}]
    told += [came | _given(asked, posted) for asked, posted in given] or [came | {"points": 0}]
    return [message_of_member(transaction, ReceiptMoved, each["member_id"], MoveData(**each)) for each in told]


def _taken(asked: AskedTaken, posted: Posted) -> dict[str, Any]:
    return _moved(posted) | {
        "became_debt": posted.debt_added - posted.debt_cleared,
        "part": None if asked.number is None else AwardPart(number=asked.number),
    }


def _given(asked: AskedGiven, posted: Posted) -> dict[str, Any]:
    part = None
    if asked.part is not None:
        wait = asked.part.key.wait if isinstance(asked.command, EarnPending) else None
        until, event = (None, None) if wait is None else (wait.until, wait.event)
        part = AwardPart(
            number=asked.part.number,
            expires_on=asked.command.terms.expires_on,
            waits_until=until,
            waits_for=event,
        )
    return _moved(posted) | {"debt_cleared": posted.debt_cleared, "part": part}


def _moved(posted: Posted) -> dict[str, Any]:
    return {
        "point_type": posted.command.point_type,
        "points": posted.points,
        "balance": balance_of(posted.balance),
    }
