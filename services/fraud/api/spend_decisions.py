"""Routes: may points leave, and why it was decided so."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.fraud import metrics
from services.fraud.domain.spending.rule_set import SpendRuleSet
from services.fraud.schemas.spending import AskBody, SpendDecisionAnswer, VerdictAnswer
from services.fraud.use_cases.decide_spending import decide_opened, opening_for
from services.fraud.use_cases.explain_spending import explain_spending
from shared.database import Database
from shared.web import Principal, not_found, problems, requires
from shared.web.programme_only import refuse_partners


def spend_decisions_router(database: Database, rule_set: SpendRuleSet) -> APIRouter:
    """Decisions before points leave."""
    router = APIRouter(prefix="/v1", tags=["decisions"])

    @router.post("/decisions", responses=problems(400, 401, 403, 409, 413, 415, 422))
    async def decide(body: AskBody, principal: Annotated[Principal, requires("decisions:write")]) -> VerdictAnswer:
        """May these points leave? The id is the ask's for ever: asked again, the decision is the first one."""
        refuse_partners(principal, "Decisions before points leave are")
        ask = body.to_ask()
        stored = await database.run_opened(opening_for(ask), lambda opened: decide_opened(opened, ask, rule_set))
        metrics.SPEND_DECISIONS.labels(ask.kind, stored.decision.verdict.value).inc()
        return VerdictAnswer(
            decision_id=ask.decision_id,
            verdict=stored.decision.verdict,
            rule_codes=list(stored.decision.rule_codes),
            rule_set_version=stored.rule_set_version,
        )

    @router.get("/spend-decisions/{decision_id}", responses=problems(401, 403, 404, 422))
    async def read(decision_id: UUID, principal: Annotated[Principal, requires("cases:read")]) -> SpendDecisionAnswer:
        """Why it was decided so: every figure against its thresholds. A partner's client sees none: figures count other
        partners' tills, too."""
        async with database.transaction() as transaction:
            explained = await explain_spending(transaction, decision_id)
        if explained is None or not principal.sees(None):
            raise not_found("decision")
        return SpendDecisionAnswer.of(explained)

    return router
