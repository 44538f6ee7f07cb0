"""Routes of rule sets: they are drafted and submitted by one person, approved, published and retired by another."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Response

from shared.database import Database, Transaction
from shared.rule_sets.answers import DocumentOf, PublicationBody, ReasonBody, StepAnswer
from shared.rule_sets.errors import (
    EffectiveTimeTakenError,
    NoSuccessorError,
    OwnDraftError,
    PublishedTooLateError,
    RuleSetNotFoundError,
    RuleSetStateError,
)
from shared.rule_sets.kind import FaultyRuleSetError, RuleSetKind
from shared.rule_sets.life import Step
from shared.rule_sets.reading_routes import rule_set_reading_router
from shared.rule_sets.steps import (
    approve_rule_set,
    change_rule_set,
    draft_rule_set,
    refuse_rule_set,
    retire_rule_set,
    submit_rule_set,
)
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

RULE_SET_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    EffectiveTimeTakenError: (409, "effective-time-taken", "Effective time taken"),
    NoSuccessorError: (409, "no-successor", "No successor"),
    OwnDraftError: (403, "own-draft", "Own draft"),
    PublishedTooLateError: (422, "published-too-late", "Published too late"),
    RuleSetNotFoundError: (404, "not-found", "Not found"),
    RuleSetStateError: (409, "rule-set-state", "Rule set state"),
    VersionChangedError: (412, "version-changed", "Version changed"),
}

_WHAT = "Rule sets are"
FAULTS_SHOWN_MAX = 100

_WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def rule_set_routers(database: Database, kind: RuleSetKind) -> tuple[APIRouter, ...]:
    """Everything that is served of a service's rule sets."""
    return (
        _drafts_router(database, kind),
        _decisions_router(database, kind),
        rule_set_reading_router(database, kind),
    )


def _drafts_router(database: Database, kind: RuleSetKind) -> APIRouter:
    """Write, change and submit rule sets."""
    router = APIRouter(prefix=kind.prefix, tags=[kind.tag])
    Writer = Annotated[Principal, requires(kind.write_scope)]  # noqa: N806 -- a type
    Document = Annotated[dict[str, Any], DocumentOf(kind.model)]  # noqa: N806 -- a type

    @router.post("", status_code=201, response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def draft(
        body: Document,
        principal: Writer,
        key: IdempotencyKey,
    ) -> Response:
        """Write a rule set as a draft. Nothing is judged by it before two people have agreed on it.

        A document with faults is refused (422), and all of them are told at once: what its schema does not allow, ids
        that stand twice, names that are not known, rules that can never apply.
        """
        refuse_partners(principal, _WHAT)
        document = await _faultless(database, body, kind)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await draft_rule_set(transaction, document, principal.client_id), 201)

        return await idempotent(database, principal, key, orjson.dumps(body), work)

    @router.put(
        "/{rule_set_id}",
        responses=problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 428),
        response_model=StepAnswer,
    )
    async def change(
        rule_set_id: UUID,
        body: Document,
        principal: Writer,
        revision: IfMatch,
        response: Response,
    ) -> StepAnswer:
        """Give a draft another document. Who does so becomes one of its authors, and may not approve it."""
        refuse_partners(principal, _WHAT)
        document = await _faultless(database, body, kind)

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


def _decisions_router(database: Database, kind: RuleSetKind) -> APIRouter:
    """What a second person decides: refused (403) to whoever wrote, changed or submitted the rule set."""
    router = APIRouter(prefix=f"{kind.prefix}/{{rule_set_id}}", tags=[kind.tag])
    Approver = Annotated[Principal, requires(kind.approve_scope)]  # noqa: N806 -- a type

    @router.post("/approve", response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def approve(rule_set_id: UUID, principal: Approver, key: IdempotencyKey) -> Response:
        """Approve a submitted rule set; it can be published from now on, and never changes again."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await approve_rule_set(transaction, rule_set_id, principal.client_id))

        return await idempotent(database, principal, key, None, work)

    @router.post("/refuse", response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def refuse(
        rule_set_id: UUID,
        body: ReasonBody,
        principal: Approver,
        key: IdempotencyKey,
    ) -> Response:
        """Refuse a submitted rule set and say why: it is a draft again."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await refuse_rule_set(transaction, rule_set_id, principal.client_id, body.reason))

        return await idempotent(database, principal, key, body, work)

    @router.post("/publish", response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def publish(
        rule_set_id: UUID,
        body: PublicationBody,
        principal: Approver,
        key: IdempotencyKey,
    ) -> Response:
        """Publish an approved rule set as the next version, in force from ``effective_from`` on.

        That is a minute ahead at least, so that every worker knows it by then; only the very first may reach back.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(await kind.publish(transaction, rule_set_id, principal.client_id, body.effective_from))

        return await idempotent(database, principal, key, body, work)

    @router.post("/retire", response_model=StepAnswer, responses=_WRITE_PROBLEMS)
    async def retire(
        rule_set_id: UUID,
        body: ReasonBody,
        principal: Approver,
        key: IdempotencyKey,
    ) -> Response:
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


async def _faultless(database: Database, body: dict[str, Any], kind: RuleSetKind) -> dict[str, Any]:
    """The document as it is stored. Before the key is looked at: what was unknown may be heard of a second later."""

    async def work(transaction: Transaction) -> dict[str, Any]:
        return await kind.check(transaction, body)

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
