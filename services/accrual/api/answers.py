"""From what the use cases know to what HTTP says."""

from collections.abc import Sequence

from services.accrual.api.correction_answers import correction_answer
from services.accrual.domain.award_parts import EarnedPart
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.outcomes import Applied, Lost, Outcome
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.trace import trace_in_words
from services.accrual.domain.undone_words import (
    corrected_in_words,
    handed_over_in_words,
    undone_in_words,
    unlinked_in_words,
    voided_in_words,
)
from services.accrual.domain.unlinked_cases import UnlinkedCase
from services.accrual.door import Taken
from services.accrual.repository.award_parts import ReturnPartRow, StoredPart
from services.accrual.repository.corrections import CorrectionRow
from services.accrual.repository.outcomes import ReturnStory
from services.accrual.schemas.previews import PreviewPartAnswer
from services.accrual.schemas.receipts import (
    AwardAnswer,
    AwardPartAnswer,
    BalanceAnswer,
    OutcomeAnswer,
    ReceiptAccepted,
    ReceiptAnswer,
    RefusalAnswer,
    ReturnAnswer,
    ReturnPartAnswer,
    TrimAnswer,
    UnlinkedAnswer,
)
from services.accrual.use_cases.show_receipt import ReceiptStory
from shared.ledger import LotTerms
from shared.ledger.telling import limits_in_words
from shared.receipt_key import receipt_id_of


def accepted(taken: Taken) -> ReceiptAccepted:
    """A document that is safe, with its outcome where it is known."""
    status_url = f"/v1/receipts/{taken.receipt_id}"
    outcome = taken.outcome
    if outcome is None:
        return ReceiptAccepted(receipt_id=taken.receipt_id, status="accepted", status_url=status_url)
    balance = None
    if outcome.points is not None:
        balance = BalanceAnswer(available=outcome.available, pending=outcome.pending, debt=outcome.debt)
    return ReceiptAccepted(
        receipt_id=taken.receipt_id,
        status=outcome.state,
        status_url=status_url,
        points=outcome.points,
        point_type=outcome.point_type,
        balance=balance,
    )


def receipt_answer(receipt_id: str, story: ReceiptStory) -> ReceiptAnswer:
    """The whole story of a receipt."""
    award = returned = trace = words = None
    if story.award is not None:
        award = AwardAnswer(
            member_id=story.award.owner_id,
            point_type=story.award.point_type,
            points=story.award.points,
            taken_back=story.award.taken_back,
            rule_set_version=story.award.rule_set_version,
            mapping_version=story.award.mapping_version,
            decided_at=story.award.decided_at,
            parts=[part_answer(part) for part in story.parts] or None,
            hold_reason=story.award.hold_reason,
            hold_ends_at=story.award.hold_ends_at,
            voided_by=receipt_id_of(story.award.voided_by) if story.award.voided_by is not None else None,
            corrected_by=receipt_id_of(story.award.corrected_by) if story.award.corrected_by is not None else None,
        )
    if story.evaluation is not None and story.rule_set is not None and story.currency is not None:
        trace, words = trace_of(story.evaluation, story.rule_set, story.currency)
        words += [sentence for one in story.corrections for sentence in _corrected(one)]
        if story.award is not None and story.is_handed_over:
            words = [*words, handed_over_in_words(story.award.taken_back)]
        if story.award is not None and story.award.voided_by is not None:
            words = [*words, voided_in_words(story.award.taken_back)]
    if story.returned is not None:
        returned, said = returned_answer(story.returned, story.taken, story.paid_ahead)
        words = [*said, *(words or [])]
    if story.unlinked is not None:
        words = [*unlinked_in_words(story.unlinked), *(words or ())]
    if story.correction is not None:
        words = _corrected(story.correction)
    return ReceiptAnswer(
        receipt_id=receipt_id,
        status=story.status,
        waits_because=story.waits_because,
        award=award,
        returned=returned,
        unlinked=None if story.unlinked is None else _unlinked(story.unlinked),
        correction=None if story.correction is None else correction_answer(story.correction),
        corrections=[correction_answer(one) for one in story.corrections] or None,
        trace=trace,
        trace_in_words=words,
        refusals=[
            RefusalAnswer(
                content_hash=refusal.content_hash.hex(),
                reason=refusal.reason,
                detail=refusal.detail,
                refused_at=refusal.refused_at,
            )
            for refusal in story.refusals
        ],
    )


def _corrected(row: CorrectionRow) -> list[str]:
    return corrected_in_words(row.points_before, row.points_after, row.points_moved, row.became_debt)


def returned_answer(
    returned: ReturnStory, taken: Sequence[ReturnPartRow], paid_ahead: int = 0
) -> tuple[ReturnAnswer, list[str]]:
    """What a document took back, and the same in words. ``paid_ahead`` it gave again to those of its sale."""
    is_voided = returned.cause == "exchange" and returned.voided_by is not None
    words = undone_in_words(
        returned.cause,
        returned.points,
        returned.became_debt,
        returned.clipped,
        returned.given_back,
        is_voided=is_voided,
        paid_ahead=paid_ahead,
        withheld=returned.withheld,
    )
    answer = ReturnAnswer(
        cause=returned.cause,
        member_id=returned.owner_id,
        original_receipt_id=receipt_id_of(returned.original_key),
        points=returned.points,
        became_debt=returned.became_debt,
        clipped=returned.clipped,
        withheld=returned.withheld or None,
        given_back=(returned.given_back + paid_ahead) or None,
        voided_by=receipt_id_of(returned.voided_by) if returned.voided_by is not None else None,
        parts=[return_part_answer(part) for part in taken] or None,
    )
    return answer, words


def trace_of(evaluation: Evaluation, rule_set: RuleSet, currency: str) -> tuple[list[OutcomeAnswer], list[str]]:
    """What each rule made of a receipt, and the same in plain words."""
    return [_outcome(outcome) for outcome in evaluation.outcomes], trace_in_words(evaluation, rule_set, currency)


def part_answer(part: StoredPart) -> AwardPartAnswer:
    """A part of an award as it stands."""
    until, event, _ = part.wait or (None, None, False)
    return AwardPartAnswer(
        point_type=part.point_type,
        points=part.points,
        taken_back=part.taken_back,
        state=part.state,
        waits_until=until,
        waits_for=event,
        expires_on=part.lot.expires_on,
        paid_by=paid_by(part.lot),
        usable=usable(part.lot),
    )


def earned_part_answer(part: EarnedPart, own_type: str) -> PreviewPartAnswer:
    """A part of an award as it would be kept."""
    wait, terms = part.key.wait, part.key.terms
    return PreviewPartAnswer(
        point_type=part.key.point_type or own_type,
        points=part.points,
        waits_until=None if wait is None else wait.until,
        waits_for=None if wait is None else wait.event,
        expires_on=terms.expires_on,
        paid_by=paid_by(terms),
        usable=usable(terms),
    )


def paid_by(lot: LotTerms) -> list[str] | None:
    """The payers of points; None where the partner that issued them pays."""
    return None if lot.funding is None else [payer for payer, _ in lot.funding.payers]


def usable(lot: LotTerms) -> str | None:
    """On what points may be spent, in words; None: on anything."""
    return None if lot.limits is None else limits_in_words(lot.limits)


def return_part_answer(part: ReturnPartRow) -> ReturnPartAnswer:
    """What was taken of a part."""
    return ReturnPartAnswer(point_type=part.point_type, points=part.points, became_debt=part.became_debt)


def _unlinked(case: UnlinkedCase) -> UnlinkedAnswer | None:
    if case.state in ("waiting", "linked"):  # of one that was linked its award and the claw-back tell
        return None
    return UnlinkedAnswer(
        state=case.state,
        member_id=case.owner_id,
        rule_set_version=case.rule_set_version,
        points=case.points,
        became_debt=case.became_debt,
        clipped=case.clipped,
    )


def _outcome(outcome: Outcome) -> OutcomeAnswer:
    if isinstance(outcome, Applied):
        return OutcomeAnswer(
            rule_id=outcome.rule_id,
            outcome="capped" if outcome.trims else "applied",
            points=outcome.points,
            amount_minor=outcome.amount_minor,
            trimmed_by=[
                TrimAnswer(cap=trim.cap, from_points=trim.from_points, to_points=trim.to_points)
                for trim in outcome.trims
            ]
            or None,
        )
    if isinstance(outcome, Lost):
        return OutcomeAnswer(rule_id=outcome.rule_id, outcome="lost", points=outcome.points, won_by=outcome.winner_id)
    return OutcomeAnswer(
        rule_id=outcome.rule_id,
        outcome="not_matched",
        predicate=outcome.predicate,
        required=outcome.required,
        observed=outcome.observed,
    )
