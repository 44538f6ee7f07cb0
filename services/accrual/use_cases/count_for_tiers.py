"""Counts a batch's documents towards tiers, and grades the members whom it concerns, in the batch's transaction."""

from collections.abc import Sequence
from uuid import UUID

from services.accrual.domain.decisions import Decision, Facts
from services.accrual.domain.tiers.counting import Counted, count_decisions, in_rounds
from services.accrual.domain.tiers.grading import Cause
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import tier_days
from services.accrual.use_cases.grade_tiers import grade_members
from shared.database import Transaction
from shared.outbox import Message


async def count_for_tiers(
    transaction: Transaction, decisions: Sequence[Decision], facts: Facts, schemes: TierSchemeHistory
) -> list[Message]:
    """Count what was awarded and taken back; the events of tiers that changed come back, to be recorded last.

    Exactly once in effect: a document counts in the transaction that settles its claim. The members are locked, so
    batches that concern one member count one after the other. No statement where nothing counts.
    """
    return await count(transaction, count_decisions(decisions, facts, schemes), schemes)


async def count(transaction: Transaction, counted: Sequence[Counted], schemes: TierSchemeHistory) -> list[Message]:
    """The same for what was counted elsewhere, in a transaction that happens once and holds the members' locks."""
    told: list[Message] = []
    for one_round in in_rounds(counted):
        await tier_days.add(transaction, one_round)
        causes: dict[UUID, Cause] = {one.member_id: "reversed" if one.is_reversal else "collected" for one in one_round}
        for member_id in {one.member_id for one in one_round if one.is_with_next}:  # it did both at once
            sums = zip(*(one.amounts for one in one_round if one.member_id == member_id), strict=True)
            causes[member_id] = "reversed" if min(map(sum, sums)) < 0 else "collected"
        told += await grade_members(transaction, causes, schemes)
    return told
