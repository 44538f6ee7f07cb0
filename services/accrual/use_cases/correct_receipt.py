"""Corrects a receipt: its award changes by the difference, by the rules and at the time that it was awarded by.

A correction is alone in its transaction: whatever else a batch brings comes before or after it.
"""

from collections.abc import Sequence

from services.accrual.domain.decisions import Document, Facts, Parked, Refused
from services.accrual.domain.tiers.counting import count_correction
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import award_events, claims, corrections, fraud_holds
from services.accrual.repository.corrections import CorrectionRow
from services.accrual.use_cases.adjust_points import today
from services.accrual.use_cases.balance_caps import BalanceMovedError
from services.accrual.use_cases.claw_back_policy import PointsNotThereError
from services.accrual.use_cases.correction_commands import Asked, Corrected, commands_of, corrected_award
from services.accrual.use_cases.correction_messages import corrected_messages
from services.accrual.use_cases.count_for_tiers import count
from services.accrual.use_cases.decide_documents import write_counters
from services.accrual.use_cases.judge_correction import CorrectionJudged, CorrectionStopped, judge_correction
from services.accrual.use_cases.save_decisions import save_decisions
from shared import ledger, outbox
from shared.database import Transaction
from shared.events.purchases import ReceiptCorrected
from shared.ledger import HeldSince, Posted
from shared.outbox import Message


async def correct_receipt(
    transaction: Transaction,
    document: Document,
    event: ReceiptCorrected,
    facts: Facts,
    programme: Programme,
    rules: PublishedRules,
    held_since: HeldSince,
) -> Parked | Refused | None:
    """Decide a correction whose claim this transaction holds, with the facts that were loaded for it; None: it took
    effect.

    What is left of the award becomes what the receipt would have left as it should have been: points are taken or given
    by that difference alone. Counters, budgets and tiers change by it too, and no visit is added.

    Raises:
        BalanceMovedError: a capped balance has risen since it was read. Roll back, and call again.
        PointsNotThereError: rules let nobody owe what it takes back, and it is not there. Roll back, and say so.
    """
    judged = await judge_correction(transaction, document, event, facts, programme, rules)
    if isinstance(judged, CorrectionStopped):
        await save_decisions(transaction, [judged.decision], programme, held_since, judged.told)
        return judged.decision
    is_erased = facts.members.get(judged.frozen.owner_id) == "erased"
    hold = (await fraud_holds.find_open(transaction, [judged.award.natural_key])).get(judged.award.natural_key)
    came = await award_events.find(transaction, [judged.award.natural_key])
    told_on = {one.event: one.told_at.astimezone(programme.zone).date() for one in came}
    becomes = corrected_award(document, judged, today(transaction, programme), told_on, is_held=hold is not None)
    await claims.settle(transaction, [document.natural_key], ["awarded"], [judged.frozen.owner_id])
    await corrections.correct(transaction, becomes.award)
    if judged.earning is not None:
        if is_erased:  # nothing is counted of who was forgotten
            judged.earning.added.clear()
        await write_counters(transaction, judged.earning)
    told = [*judged.told, *([] if is_erased else await _count_for_tiers(transaction, judged, rules))]
    posted = await _post(transaction, document, becomes.asked, held_since)
    await corrections.save(transaction, _row(transaction, document, event, judged, becomes, posted), document.body)
    messages = corrected_messages(transaction, document, judged, posted, hold, programme)
    await outbox.record(transaction, [*messages, *told])
    return None


async def _count_for_tiers(transaction: Transaction, judged: CorrectionJudged, rules: PublishedRules) -> list[Message]:
    schemes = rules.tiers.history
    frozen, (before, _, after) = judged.frozen, judged.anew
    scheme = schemes.at(frozen.purchase.occurred_at)
    if scheme is None:
        return []
    points = sum(part.change for part in judged.parts if part.key.point_type == scheme.points_of)
    spend_minor = after.base.total_minor - before.base.total_minor
    counted = count_correction(
        frozen.owner_id, frozen.purchase, judged.purchase, frozen.returned_thousandths, points, spend_minor, scheme
    )
    return await count(transaction, counted, schemes)


async def _post(
    transaction: Transaction, document: Document, asked: Sequence[Asked], held_since: HeldSince
) -> list[tuple[Asked, Posted]]:
    outcomes = await ledger.post(transaction, commands_of(asked), held_since=held_since) if asked else []
    posted: list[tuple[Asked, Posted]] = []
    for one, outcome in zip(asked, outcomes, strict=True):
        if not isinstance(outcome, Posted):  # by the policy of the purchase's rules alone
            raise PointsNotThereError(frozenset({document.natural_key}))
        if outcome.trimmed:
            raise BalanceMovedError
        posted.append((one, outcome))
    return posted


def _row(
    transaction: Transaction,
    document: Document,
    event: ReceiptCorrected,
    judged: CorrectionJudged,
    becomes: Corrected,
    posted: Sequence[tuple[Asked, Posted]],
) -> CorrectionRow:
    """What the correction changed, of the programme's own points."""
    own = [(one, outcome) for one, outcome in posted if one.command.point_type == judged.award.point_type]
    return CorrectionRow(
        natural_key=document.natural_key,
        original_key=judged.award.natural_key,
        owner_id=judged.frozen.owner_id,
        reason=event.data.reason,
        occurred_at=event.data.occurred_at,
        points_before=judged.award.points,
        points_after=becomes.award.points,
        points_moved=sum(outcome.points if one.part.change > 0 else -outcome.points for one, outcome in own),
        became_debt=sum(outcome.debt_added - outcome.debt_cleared for one, outcome in own if one.part.change < 0),
        clipped=sum(outcome.shortfall for _, outcome in own),
        total_minor_before=judged.frozen.purchase.total_minor,
        total_minor_after=judged.purchase.total_minor,
        decision_before=judged.award.decision,
        decision_after=becomes.award.decision,
        decided_at=transaction.now,
    )
