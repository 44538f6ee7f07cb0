"""Routes that read rule sets. A partner's client sees what is published, and no history."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from shared.database import Database
from shared.rule_sets.answers import Against, Reference, RuleSetAnswer, RuleSetSummary, StepTakenAnswer
from shared.rule_sets.diff_answers import RuleSetDiffAnswer
from shared.rule_sets.kind import RuleSetKind
from shared.rule_sets.reading import compare_rule_sets, read_history, read_rule_set, read_rule_sets
from shared.web import Page, Paging, Principal, etag, not_found, problems, requires


class SchemaResponse(JSONResponse):
    """A JSON Schema."""

    media_type = "application/schema+json"


_NEWEST = TypeAdapter(tuple[datetime, UUID])
_REVISION = TypeAdapter(tuple[int])


def rule_set_reading_router(database: Database, kind: RuleSetKind) -> APIRouter:
    """Read rule sets and their history."""
    router = APIRouter(prefix=kind.prefix, tags=[kind.tag])
    Reader = Annotated[Principal, requires(kind.read_scope)]  # noqa: N806 -- a type

    @router.get(":schema", response_class=SchemaResponse, responses=problems(401, 403))
    async def schema(_: Reader) -> SchemaResponse:
        """The JSON Schema of a rule-set document."""
        return SchemaResponse(kind.schema())

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_rule_sets(principal: Reader, paging: Paging) -> Page[RuleSetSummary]:
        """Rule sets, the newest draft first."""
        async with database.transaction() as transaction:
            found = await read_rule_sets(
                transaction,
                with_unpublished=principal.partner_id is None,
                after=paging.position(_NEWEST),
                rows_max=paging.limit + 1,
            )
            shown = [RuleSetSummary.of(stored, transaction.now) for stored in found[: paging.limit]]
        position = [each for answer in shown[-1:] for each in (answer.drafted_at, answer.rule_set_id)]
        return Page.of(found, paging.limit, shown, position)

    @router.get("/{reference}", responses=problems(401, 403, 404, 422))
    async def read(reference: Reference, principal: Reader, response: Response) -> RuleSetAnswer:
        """One rule set with its document, and its revision as ETag."""
        async with database.transaction() as transaction:
            stored = await read_rule_set(transaction, reference, with_unpublished=principal.partner_id is None)
            answer = RuleSetAnswer.of(stored, transaction.now)
        response.headers.update(etag(answer.revision))
        return answer

    @router.get("/{reference}/diff", responses=problems(401, 403, 404, 422))
    async def diff(reference: Reference, principal: Reader, against: Against = None) -> RuleSetDiffAnswer:
        """What a rule set changes against another one, by default against the version before it."""
        async with database.transaction() as transaction:
            compared = await compare_rule_sets(
                transaction, reference, against, kind.model, with_unpublished=principal.partner_id is None
            )
        return RuleSetDiffAnswer.of(*compared)

    @router.get("/{reference}/history", responses=problems(400, 401, 403, 404, 422))
    async def history(reference: Reference, principal: Reader, paging: Paging) -> Page[StepTakenAnswer]:
        """What was done to a rule set, by whom and when, from its draft on. For the programme's own clients."""
        if principal.partner_id is not None:
            raise not_found("rule set")
        position = paging.position(_REVISION)
        async with database.transaction() as transaction:
            found = await read_history(
                transaction,
                reference,
                after_revision=0 if position is None else position[0],
                rows_max=paging.limit + 1,
            )
        shown = [StepTakenAnswer.of(change) for change in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.revision for answer in shown[-1:]])

    return router
