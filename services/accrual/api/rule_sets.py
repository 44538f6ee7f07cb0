"""``/v1/rule-sets``: rules are drafted and submitted by one person, approved, published and retired by another."""

from datetime import tzinfo
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import orjson
from fastapi import APIRouter, Response

from services.accrual.domain.rule_set_errors import (
    EffectiveTimeTakenError,
    NoSuccessorError,
    OwnDraftError,
    PublishedTooLateError,
    RuleSetNotFoundError,
    RuleSetStateError,
)
from services.accrual.domain.rule_set_life import Step
from services.accrual.schemas.rule_sets import PublicationBody, ReasonBody, RuleSetBody, StepAnswer
from services.accrual.use_cases.check_rule_set import FaultyRuleSetError, check_rule_set
from services.accrual.use_cases.decide_rule_set import approve_rule_set, refuse_rule_set
from services.accrual.use_cases.draft_rule_set import change_rule_set, draft_rule_set, submit_rule_set
from services.accrual.use_cases.publish_rule_set import publish_rule_set, retire_rule_set
from shared.database import Database, Transaction
from shared.point_types import ONE_TYPE, PointTypes
from shared.web import (
    Answer,
    FieldError,
    IdempotencyKey,
    IfMatch,
    Principal,
    Problem,
    VersionChangedError,
    etag,
    idempotent,
    problems,
    refuse_partners,
    requires,
)

Writer: TypeAlias = Annotated[Principal, requires("rules:write")]
Approver: TypeAlias = Annotated[Principal, requires("rules:approve")]
_WHAT = "Rule sets are"

RULE_SET_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    EffectiveTimeTakenError: (409, "effective-time-taken", "Effective time taken"),
    NoSuccessorError: (409, "no-successor", "No successor"),
    OwnDraftError: (403, "own-draft", "Own draft"),
    PublishedTooLateError: (422, "published-too-late", "Published too late"),
    RuleSetNotFoundError: (404, "not-found", "Not found"),
    RuleSetStateError: (409, "rule-set-state", "Rule set state"),
    VersionChangedError: (412, "version-changed", "Version changed"),
}

FAULTS_SHOWN_MAX = 100

_WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def rule_set_drafts_router(database: Database, zone: tzinfo, point_types: PointTypes = ONE_TYPE) -> APIRouter:
    """Write, change and submit rule sets. ``zone`` is where the programme's days end; rules name ``point_types``."""
    router = APIRouter(prefix="/v1/rule-sets", tags=["rule sets"])

    @router.post("", status_code=201, response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def draft(body: RuleSetBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Write a rule set as a draft. No receipt is judged by it before two people have agreed on it.

        A document with faults is refused (422), and all of them are told at once: what its schema does not allow, ids
        that stand twice, partners, stores and categories that are not known, rules that can never apply.
        """
        refuse_partners(principal, _WHAT)
        document = await _faultless(database, body, zone, point_types)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await draft_rule_set(transaction, document, principal.client_id), 201)

        return await idempotent(database, principal, key, orjson.dumps(body), work)

    @router.put(
        "/{rule_set_id}",
        responses=problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 428),
        response_model=StepAnswer,
    )
    async def change(
        rule_set_id: UUID, body: RuleSetBody, principal: Writer, revision: IfMatch, response: Response
    ) -> StepAnswer:
        """Give a draft another document. Who does so becomes one of its authors, and may not approve it."""
        refuse_partners(principal, _WHAT)
        document = await _faultless(database, body, zone, point_types)

        async def work(transaction: Transaction) -> Step:
            return await change_rule_set(transaction, rule_set_id, document, revision, principal.client_id)

        step = await database.run(work)
        response.headers.update(etag(step.after.revision))
        return StepAnswer.of(step)

    @router.post("/{rule_set_id}/submit", response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def submit(rule_set_id: UUID, principal: Writer, key: IdempotencyKey) -> Response:
        """Put a draft before a second person; from here on its document stands."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await submit_rule_set(transaction, rule_set_id, principal.client_id))

        return await idempotent(database, principal, key, None, work)

    return router


def rule_set_decisions_router(database: Database) -> APIRouter:
    """What a second person decides: refused (403) to whoever wrote, changed or submitted the rule set."""
    router = APIRouter(prefix="/v1/rule-sets/{rule_set_id}", tags=["rule sets"])

    @router.post("/approve", response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def approve(rule_set_id: UUID, principal: Approver, key: IdempotencyKey) -> Response:
        """Approve a submitted rule set; it can be published from now on, and never changes again."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await approve_rule_set(transaction, rule_set_id, principal.client_id))

        return await idempotent(database, principal, key, None, work)

    @router.post("/refuse", response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def refuse(rule_set_id: UUID, body: ReasonBody, principal: Approver, key: IdempotencyKey) -> Response:
        """Refuse a submitted rule set and say why: it is a draft again."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await refuse_rule_set(transaction, rule_set_id, principal.client_id, body.reason))

        return await idempotent(database, principal, key, body, work)

    @router.post("/publish", response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def publish(rule_set_id: UUID, body: PublicationBody, principal: Approver, key: IdempotencyKey) -> Response:
        """Publish an approved rule set as the next version, in force from ``effective_from`` on.

        That is a minute ahead at least, so that every worker knows it by then; only the very first may reach back.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await publish_rule_set(transaction, rule_set_id, principal.client_id, body.effective_from))

        return await idempotent(database, principal, key, body, work)

    @router.post("/retire", response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def retire(rule_set_id: UUID, body: ReasonBody, principal: Approver, key: IdempotencyKey) -> Response:
        """Withdraw a rule set that takes effect in a minute or later; or retire one that was in force.

        A version in force is retired only where a successor is published: receipts are judged by it until then, and
        late ones of its time ever after. It does not come back: its successor can no longer be withdrawn.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await retire_rule_set(transaction, rule_set_id, principal.client_id, body.reason))

        return await idempotent(database, principal, key, body, work)

    return router


def _answer(step: Step, status: int = 200) -> Answer:
    return Answer(status, StepAnswer.of(step))


async def _faultless(database: Database, body: dict[str, Any], zone: tzinfo, point_types: PointTypes) -> dict[str, Any]:
    """The document as it is stored. Before the key is looked at: what was unknown may be heard of a second later."""

    async def work(transaction: Transaction) -> dict[str, Any]:
        return await check_rule_set(transaction, body, zone, point_types)

    try:
        return await database.run(work)
    except FaultyRuleSetError as error:
        shown = error.faults[:FAULTS_SHOWN_MAX]
        more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
        raise Problem(
            422,
            "invalid-request",
            f"{shown[0].pointer or 'the document'}: {shown[0].detail}{more}.",
            title="Invalid request",
            errors=[FieldError(pointer=fault.pointer, detail=fault.detail) for fault in shown],
        ) from error
