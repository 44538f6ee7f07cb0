"""``/v1/rule-sets``: the programme's earning rules, in immutable versions."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.exc import NoResultFound

from services.accrual.domain.rules import RuleSet
from services.accrual.repository import rule_sets
from services.accrual.schemas.rule_sets import RuleSetAnswer, RuleSetBody
from services.accrual.use_cases.publish_rule_set import publish_rule_set
from shared.database import Database, Transaction
from shared.web.authorisation import requires
from shared.web.idempotency import Answer, IdempotencyKey, idempotent
from shared.web.principal import Principal
from shared.web.problems import not_found, problems

VERSION_MAX = 2**31 - 1
Version = Annotated[int, Path(ge=1, le=VERSION_MAX)]


def rule_sets_router(database: Database) -> APIRouter:
    """The routes, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["rule sets"])

    @router.post(
        "/rule-sets",
        status_code=201,
        response_model=RuleSetAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 422),
    )
    async def publish(
        body: RuleSetBody, principal: Annotated[Principal, requires("rules:write")], key: IdempotencyKey
    ) -> Response:
        """Publish the next version. It takes effect at ``effective_from``: a minute ahead at least, save the first."""
        if principal.partner_id is not None:
            raise not_found("programme")

        async def work(transaction: Transaction) -> Answer:
            rule_set = await publish_rule_set(transaction, body, body.effective_from, principal.client_id)
            return Answer(201, _answer(rule_set))

        return await idempotent(database, principal, key, body, work)

    @router.get("/rule-sets/{version}", response_model=RuleSetAnswer, responses=problems(401, 403, 404, 422))
    async def get_rule_set(version: Version, _: Annotated[Principal, requires("rules:read")]) -> RuleSetAnswer:
        """One published version, as it judges receipts."""
        async with database.transaction() as transaction:
            try:
                return _answer(await rule_sets.load(transaction, version))
            except NoResultFound as error:
                raise not_found("rule set") from error

    return router


def _answer(rule_set: RuleSet) -> RuleSetAnswer:
    document = rule_set.model_dump(mode="json")
    return RuleSetAnswer(
        version=rule_set.version,
        effective_from=rule_set.effective_from,
        rules=document["rules"],
        exclusions=document["exclusions"],
        expires_after_days=rule_set.expires_after_days,
    )
