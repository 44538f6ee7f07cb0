"""How long a service keeps what: for whoever answers for the protection of data. The programme's own clients alone."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from shared.database import Database
from shared.runtime.retention import Action, Change, Rule, change_rule, load_changes, load_rules
from shared.web import Body, Principal, Text, invalid_field, not_found, problems, refuse_partners, requires

KEEP_DAYS_MAX = 36_500
DATA_CLASS_PATTERN = r"^[a-z][a-z_]{0,63}$"

Reader = Annotated[Principal, requires("retention:read")]
Writer = Annotated[Principal, requires("retention:write")]
_WHAT = "How long data are kept is"


class ChangeAnswer(BaseModel):
    """Who kept the class for another number of days, and why."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    author: str
    before_days: int
    after_days: int
    why: str | None

    @classmethod
    def of(cls, change: Change) -> Self:
        """The answer for a change."""
        return cls(
            at=change.at,
            author=change.author,
            before_days=change.before_days,
            after_days=change.after_days,
            why=change.why,
        )


class RuleAnswer(BaseModel):
    """One class of data: what it is kept for, how long, and what happens then."""

    model_config = ConfigDict(frozen=True)

    data_class: str
    purpose: str
    keep_days: int
    keep_days_min: int
    action: Action
    changed_by: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """The answer for a row of the table."""
        return cls(
            data_class=rule.data_class,
            purpose=rule.purpose,
            keep_days=rule.keep_days,
            keep_days_min=rule.keep_days_min,
            action=rule.action,
            changed_by=rule.changed_by,
            changed_at=rule.changed_at,
        )


class RuleWithChangesAnswer(RuleAnswer):
    """The same, and the newest of its changes."""

    changes: list[ChangeAnswer] = Field(description="The newest 20, newest first.")


class RulesAnswer(BaseModel):
    """All of a service's classes."""

    model_config = ConfigDict(frozen=True)

    rules: list[RuleWithChangesAnswer]


class KeepBody(Body):
    """For how long to keep a class from now on."""

    keep_days: Annotated[StrictInt, Field(ge=1, le=KEEP_DAYS_MAX)]
    why: Text | None = None


def retention_router(database: Database) -> APIRouter:
    """Read and set how long classes of data are kept."""
    router = APIRouter(prefix="/v1/retention", tags=["retention"])

    @router.get("", responses=problems(401, 403))
    async def list_rules(principal: Reader) -> RulesAnswer:
        """Every class of data that this service keeps for a time."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            rules, changes = await load_rules(transaction), await load_changes(transaction)
        return RulesAnswer(
            rules=[
                RuleWithChangesAnswer(
                    **RuleAnswer.of(rule).model_dump(),
                    changes=[ChangeAnswer.of(change) for change in changes.get(rule.data_class, ())],
                )
                for rule in rules
            ]
        )

    @router.put("/{data_class}", responses=problems(400, 401, 403, 404, 413, 415, 422))
    async def keep(
        data_class: Annotated[str, Path(pattern=DATA_CLASS_PATTERN)], body: KeepBody, principal: Writer
    ) -> RuleAnswer:
        """Keep a class for another number of days. Sent again, it changes nothing: no Idempotency-Key is needed."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            changed = await change_rule(transaction, data_class, body.keep_days, principal.client_id, body.why)
            if changed is not None:
                return RuleAnswer.of(changed)
            known = {rule.data_class: rule for rule in await load_rules(transaction)}
        if data_class not in known:
            raise not_found("class of data")
        raise invalid_field(
            "/keep_days", f"this class must be kept for {known[data_class].keep_days_min} days at least"
        )

    return router
