"""What a preview knows, as HTTP says it: in the words of the receipt that was posted."""

from collections.abc import Sequence
from typing import assert_never

from services.accrual.api.answers import earned_part_answer, return_part_answer, trace_of
from services.accrual.domain.decisions import Awarded, ClawedBack, Exchanged, Parked, Refused, UnlinkedReturn
from services.accrual.domain.undone_words import undone_in_words, unlinked_in_words
from services.accrual.domain.unlinked_cases import UnlinkedCase
from services.accrual.programme import Programme
from services.accrual.repository.award_parts import ReturnPartRow
from services.accrual.schemas.baskets import BasketAnswer
from services.accrual.schemas.previews import (
    PreviewAnswer,
    PreviewLineAnswer,
    PreviewPartAnswer,
    PreviewReturnAnswer,
    PreviewUnlinkedAnswer,
)
from services.accrual.use_cases.preview_undoing import Previewed, Taken
from shared.receipt_key import receipt_id_of


def preview_answer(previewed: Previewed, programme: Programme) -> PreviewAnswer:
    """What would become of a document."""
    match previewed.decision:
        case Awarded() as awarded:
            return _awarded(awarded, programme)
        case ClawedBack() as clawed_back:
            return _clawed_back(clawed_back, previewed, programme)
        case UnlinkedReturn() as unlinked:
            return _unlinked(unlinked, previewed)
        case Exchanged() as exchanged:
            return _exchanged(exchanged, previewed, programme)
        case Refused(reason=reason, detail=detail):
            return PreviewAnswer(status="refused", reason=reason, detail=detail)
        case Parked(reason=reason):
            return PreviewAnswer(status="parked", reason=reason)
        case never:
            assert_never(never)


def basket_answer(previewed: Previewed, programme: Programme) -> BasketAnswer:
    """What would become of a purchase that has no receipt yet."""
    match previewed.decision:
        case Awarded() as awarded:
            return BasketAnswer(
                status="awarded",
                points=awarded.evaluation.points,
                point_type=programme.point_type,
                parts=_parts(awarded, programme),
                rule_set_version=awarded.evaluation.rule_set_version,
            )
        case Refused(reason=reason):
            return BasketAnswer(status="refused", reason=reason)
        case Parked(reason=reason):
            return BasketAnswer(status="parked", reason=reason)
        case _:
            raise AssertionError("unreachable: a basket undoes nothing")


def _awarded(decision: Awarded, programme: Programme) -> PreviewAnswer:
    evaluation = decision.evaluation
    trace, words = trace_of(evaluation, evaluation.rule_set, decision.document.event.data.currency)
    return PreviewAnswer(
        status="awarded",
        points=evaluation.points,
        point_type=programme.point_type,
        rule_set_version=evaluation.rule_set_version,
        mapping_version=evaluation.base.mapping_version,
        parts=_parts(decision, programme),
        trace=trace,
        trace_in_words=words,
    )


def _parts(decision: Awarded, programme: Programme) -> list[PreviewPartAnswer]:
    """What it is made of: as the worker would keep it, or the one lot that nearly every award is."""
    if not decision.parts:
        day = decision.document.event.data.occurred_at.astimezone(programme.zone).date()
        last = decision.evaluation.rule_set.expires_on(day)
        return [
            PreviewPartAnswer(point_type=programme.point_type, points=part.points, expires_on=last)
            for part in decision.evaluation.parts
        ]
    return [earned_part_answer(part, programme.point_type) for part in decision.parts]


def _clawed_back(decision: ClawedBack, previewed: Previewed, programme: Programme) -> PreviewAnswer:
    own = [one for one in previewed.taken if one.posted.command.point_type == programme.point_type]
    became_debt, clipped = _became_debt(own), sum(one.posted.shortfall for one in own)
    points = decision.points - clipped - decision.withheld
    lines = previewed.lines
    return PreviewAnswer(
        status="awarded",
        point_type=programme.point_type,
        returned=PreviewReturnAnswer(
            cause=decision.cause,
            policy=decision.policy,
            original_receipt_id=receipt_id_of(decision.original_key),
            points=points,
            became_debt=became_debt,
            clipped=clipped,
            withheld=decision.withheld or None,
            given_back=previewed.paid_ahead or None,
            parts=[
                return_part_answer(
                    ReturnPartRow(
                        decision.document.natural_key,
                        one.part.number,
                        one.posted.command.point_type,
                        one.posted.points,
                        _became_debt([one]),
                    )
                )
                for one in previewed.taken
                if one.part is not None and one.posted.points
            ]
            or None,
            lines=None
            if lines is None
            else [
                PreviewLineAnswer(line_id=one.line_id, original_line_id=one.original_line_id, points=one.points)
                for one in lines
            ],
        ),
        trace_in_words=undone_in_words(
            decision.cause,
            points,
            became_debt,
            clipped,
            paid_ahead=previewed.paid_ahead,
            withheld=decision.withheld,
        ),
    )


def _exchanged(decision: Exchanged, previewed: Previewed, programme: Programme) -> PreviewAnswer:
    """Both sides: what came back, and what the new goods would earn; of a void what would be given again."""
    told = _clawed_back(decision.taken, previewed, programme)
    words, given_back = told.trace_in_words or [], decision.given_back.points if decision.given_back is not None else 0
    if told.returned is not None and given_back:
        returned = told.returned.model_copy(update={"given_back": given_back})
        words = undone_in_words(
            decision.taken.cause, returned.points, returned.became_debt, returned.clipped, given_back
        )
        return told.model_copy(update={"returned": returned, "trace_in_words": words})
    if decision.unearned is not None:
        return told.model_copy(update={"reason": decision.unearned.reason, "detail": decision.unearned.detail})
    if decision.given is None:
        return told
    given = _awarded(decision.given, programme)
    return given.model_copy(
        update={"returned": told.returned, "trace_in_words": [*words, *(given.trace_in_words or [])]}
    )


def _unlinked(decision: UnlinkedReturn, previewed: Previewed) -> PreviewAnswer:
    data = decision.document.event.data
    points = sum(one.posted.points for one in previewed.taken)
    clipped = sum(one.posted.shortfall for one in previewed.taken)
    case = UnlinkedCase(
        decision.document.natural_key,
        data.partner_id,
        decision.owner_id,
        data.occurred_at,
        data.received_at,
        decision.outcome,
        points=points,
        became_debt=_became_debt(previewed.taken),
        clipped=clipped,
    )
    goods = previewed.goods
    trace, words = (None, []) if goods is None else trace_of(goods, goods.rule_set, data.currency)
    return PreviewAnswer(
        status="awarded",
        unlinked=PreviewUnlinkedAnswer(
            state=decision.outcome,
            policy=decision.policy,
            rule_set_version=decision.rule_set_version,
            points=points,
            became_debt=case.became_debt,
            clipped=clipped,
        ),
        trace=trace,
        trace_in_words=[*unlinked_in_words(case), *words],
    )


def _became_debt(taken: Sequence[Taken]) -> int:
    return sum(one.posted.debt_added - one.posted.debt_cleared for one in taken)
