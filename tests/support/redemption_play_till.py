"""What tills ask over HTTP, as redemption's real use cases answer it."""

from functools import partial

from services.redemption.api.refusals import RETRY_AFTER_SECONDS
from services.redemption.domain.holding import HoldRequest, Paid
from services.redemption.domain.refunding import NothingCapturedError, OverpaidRefundError
from services.redemption.use_cases.hold_points import Declined, Spender, hold_points
from services.redemption.use_cases.refund_points import Wanted, refund_points
from services.redemption.use_cases.shrink_hold import shrink_hold
from services.redemption.use_cases.void_hold import void_hold
from shared.database import Transaction
from shared.web import Problem
from tests.support import redemption_steps as life
from tests.support.redemption import GROCER, till_receipt
from tests.support.redemption_names import POINTS, RETURNS_FROM
from tests.support.redemption_play_stage import Stage, Work
from tests.support.shared_captures import capture_in


def work_of_till(stage: Stage, step: life.TillStep) -> Work:
    """What a request of a till's does in its transaction."""
    match step:
        case life.Hold():
            return partial(_hold, stage, step)
        case life.Capture():
            return partial(_capture, stage, step)
        case life.Void():
            return partial(_void, stage, step)
        case life.Shrink():
            return partial(_shrink, stage, step)
        case life.Refund():
            return partial(_refund, stage, step)


async def _hold(stage: Stage, step: life.Hold, transaction: Transaction) -> str:
    request = HoldRequest(
        GROCER.partner_id or "",
        step.points,
        stage.names.end_of(step.redemption, transaction.now),
        is_taken_in_parts=step.is_taken_in_parts,
    )
    spender, redemption_id = Spender(stage.names.members[step.member]), stage.names.redemptions[step.redemption]
    match await hold_points(transaction, spender, request, stage.programme, redemption_id):
        case Declined(decline=decline, available=available):
            return f"{decline.reason.replace('_', '-')} {available}"
        case Paid():
            return "already-captured"
        case held:
            return f"held {held.redemption.open_points}"


async def _capture(stage: Stage, step: life.Capture, transaction: Transaction) -> str:
    captured = await capture_in(
        transaction,
        GROCER,
        stage.names.redemptions[step.redemption],
        till_receipt(stage.names.first_receipt + step.receipt),
        step.points,
        more=step.more,
        came_back_days=stage.lived.came_back_days,
    )
    redemption = captured.redemption
    return f"took {captured.capture.points} of {redemption.state}, {redemption.open_points} left"


async def _void(stage: Stage, step: life.Void, transaction: Transaction) -> str:
    days, redemption_id = stage.lived.came_back_days, stage.names.redemptions[step.redemption]
    voided = await void_hold(transaction, GROCER, redemption_id, POINTS, came_back_days=days)
    return f"voided {voided.points}"


async def _shrink(stage: Stage, step: life.Shrink, transaction: Transaction) -> str:
    days, redemption_id = stage.lived.came_back_days, stage.names.redemptions[step.redemption]
    shrunk = await shrink_hold(transaction, GROCER, redemption_id, step.points, came_back_days=days)
    return f"let go {shrunk.points}"


async def _refund(stage: Stage, step: life.Refund, transaction: Transaction) -> str:
    original = till_receipt(stage.names.first_receipt + stage.lived.returns[step.number].receipt)
    wanted = Wanted(original, till_receipt(RETURNS_FROM + stage.names.first_receipt + step.number), step.points)
    redemption_id, soon = stage.names.redemptions[step.redemption], {"Retry-After": str(RETRY_AFTER_SECONDS)}
    try:
        return f"refunded {(await refund_points(transaction, GROCER, redemption_id, wanted, stage.programme)).points}"
    except NothingCapturedError:
        raise Problem(409, "nothing-captured", "", headers=soon) from None
    except OverpaidRefundError as error:
        left = {"refundable_points": error.refundable_points}
        raise Problem(409, "overpaid-refund", "", headers=soon if error.may_pass else {}, extensions=left) from None
