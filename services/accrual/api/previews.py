"""``/v1/receipts:preview``: what a receipt would earn, for tills and partners' clients."""

from typing import Annotated

from fastapi import APIRouter

from services.accrual.api.answers import paid_by, trace_of, usable
from services.accrual.api.receipts import problem_of
from services.accrual.domain.decisions import Awarded, Decision, Parked, Refused
from services.accrual.door import PartnerNotOpenError
from services.accrual.previewing import Previews
from services.accrual.programme import Programme
from services.accrual.schemas.previews import PreviewAnswer, PreviewPartAnswer
from services.accrual.schemas.receipts import ReceiptBody
from services.accrual.use_cases.read_document import InvalidDocumentError, Issuer
from shared.web.authorisation import requires
from shared.web.principal import Principal
from shared.web.problems import problems


def previews_router(previews: Previews) -> APIRouter:
    """The route, on this process's rules."""
    router = APIRouter(prefix="/v1", tags=["receipts"])

    @router.post(
        "/receipts:preview",
        response_model=PreviewAnswer,
        response_model_exclude_none=True,
        responses=problems(400, 401, 403, 413, 422),
    )
    async def preview(body: ReceiptBody, principal: Annotated[Principal, requires("receipts:write")]) -> PreviewAnswer:
        """What a purchase would earn if it were posted now, and why. It has no effect, and needs no Idempotency-Key.

        The same decision as the worker's, on what is known here now. A receipt that was posted before is judged as if
        it had not been.
        """
        try:
            decision = await previews.preview(body, Issuer(principal.partner_id, principal.store_id, principal.till_id))
        except (InvalidDocumentError, PartnerNotOpenError) as error:
            raise problem_of(error) from error
        return _answer(decision, previews)

    return router


def _answer(decision: Decision, previews: Previews) -> PreviewAnswer:
    match decision:
        case Awarded(document=document, evaluation=evaluation):
            trace, words = trace_of(evaluation, evaluation.rule_set, document.event.data.currency)
            return PreviewAnswer(
                status="awarded",
                points=evaluation.points,
                point_type=previews.programme.point_type,
                rule_set_version=evaluation.rule_set_version,
                mapping_version=evaluation.base.mapping_version,
                parts=_parts(decision, previews.programme),
                trace=trace,
                trace_in_words=words,
            )
        case Refused(reason=reason, detail=detail):
            return PreviewAnswer(status="refused", reason=reason, detail=detail)
        case Parked(reason=reason):
            return PreviewAnswer(status="parked", reason=reason)
        case _:
            raise TypeError("only purchases are previewed")


def _parts(decision: Awarded, programme: Programme) -> list[PreviewPartAnswer]:
    """What it is made of: as the worker would keep it, or the one lot that nearly every award is."""
    if not decision.parts:
        day = decision.document.event.data.occurred_at.astimezone(programme.zone).date()
        last = decision.evaluation.rule_set.expires_on(day)
        return [
            PreviewPartAnswer(point_type=programme.point_type, points=part.points, expires_on=last)
            for part in decision.evaluation.parts
        ]
    return [
        PreviewPartAnswer(
            point_type=part.key.point_type or programme.point_type,
            points=part.points,
            waits_until=None if part.key.wait is None else part.key.wait.until,
            waits_for=None if part.key.wait is None else part.key.wait.event,
            expires_on=part.key.terms.expires_on,
            paid_by=paid_by(part.key.terms),
            usable=usable(part.key.terms),
        )
        for part in decision.parts
    ]
