"""A second person decides on a file of adjustments, and its lines follow, page by page."""

from uuid import UUID

from services.accrual.domain.adjustment_files import AdjustmentFile, AdjustmentFileNotFoundError
from services.accrual.domain.adjustments import AdjustmentRules
from services.accrual.programme import KnownTierSchemes, Programme
from services.accrual.repository import adjustment_files, adjustments
from services.accrual.use_cases.adjust_points import post_adjustments
from shared.database import Transaction

POSTED_PER_PASS_MAX = 200


async def approve_file(transaction: Transaction, file_id: UUID, approver: str) -> AdjustmentFile:
    """Let a file's lines take effect; as it stands then. Idempotent.

    Raises:
        AdjustmentFileNotFoundError, AdjustmentDecidedError, OwnAdjustmentError: nothing was changed.
    """
    file = (await _lock(transaction, file_id)).approved(approver, transaction.now)
    await adjustment_files.update(transaction, file)
    return file


async def refuse_file(transaction: Transaction, file_id: UUID, decided_by: str) -> AdjustmentFile:
    """Let nothing come of a file, whoever sent it; as it stands then. Idempotent.

    Raises:
        AdjustmentFileNotFoundError, AdjustmentDecidedError: nothing was changed.
    """
    file = (await _lock(transaction, file_id)).turned_down(decided_by, transaction.now)
    await adjustment_files.update(transaction, file)
    return file


async def settle_lines(
    transaction: Transaction, programme: Programme, rules: AdjustmentRules, tiers: KnownTierSchemes
) -> int:
    """Decide a page of lines of the file that was decided on first; how many they were, 0 where nothing is to be done.

    Of a file that nobody but its author has let through, a line is refused that would be more than one person may move
    of its member on a day: others have moved of it since the file was closed.

    Safe to repeat and to cut off: a line is decided with its transfer and its event, and no line twice.
    """
    file = await adjustment_files.lock_next_decided(transaction)
    if file is None:
        return 0
    lines = await adjustments.lock_page(transaction, file.file_id, POSTED_PER_PASS_MAX)
    if file.state == "refused":
        decided = [line.refused("not_approved", file.decided_by, transaction.now) for line in lines]
        await adjustments.settle(transaction, decided)
    else:
        decided = await post_adjustments(transaction, lines, programme, rules, tiers, file.decided_by)
    await adjustment_files.update(transaction, file.with_decided(decided))
    return len(decided)


async def _lock(transaction: Transaction, file_id: UUID) -> AdjustmentFile:
    file = await adjustment_files.lock(transaction, file_id)
    if file is None:
        raise AdjustmentFileNotFoundError("there is no such file")
    return file
