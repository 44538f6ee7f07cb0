"""What HTTP says of rule sets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self, TypeAlias
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from shared.rule_sets.life import Action, LivingRuleSet, RuleSetPhase, RuleSetState, Step
from shared.rule_sets.records import StoredChange, StoredRuleSet
from shared.web import AwareTime, Body, Text

VERSION_MAX = 2**31 - 1

_IdOrVersion: TypeAlias = UUID | Annotated[int, Field(ge=1, le=VERSION_MAX)]
_ABOUT_REFERENCE = "A rule set's id, or the number of a published version, as what was judged by it names it."

Reference: TypeAlias = Annotated[_IdOrVersion, Path(description=_ABOUT_REFERENCE)]
Against: TypeAlias = Annotated[
    _IdOrVersion | None, Query(description=f"{_ABOUT_REFERENCE} Absent: the version before, or the one in force.")
]


class RuleSetModel(BaseModel):
    """What is answered about rule sets; it does not change."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True, slots=True)
class DocumentOf:
    """Read as any object, so that all that is wrong with it is told at once; documented as its model."""

    model: type[BaseModel]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema())

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(self.model.__pydantic_core_schema__)


class ReasonBody(Body):
    """Why, in words for those who read the history. They name no person."""

    reason: Text


class PublicationBody(Body):
    """When the rule set takes effect: a minute ahead at least, except for the very first."""

    effective_from: AwareTime


class StepAnswer(RuleSetModel):
    """Where a rule set stands after a step. ``revision`` is its ETag; ``version`` is there once it is published."""

    rule_set_id: UUID
    state: RuleSetState
    revision: int
    version: int | None
    effective_from: datetime | None
    authors: list[str]
    approved_by: str | None

    @classmethod
    def of(cls, step: Step) -> Self:
        """The answer for a step that was taken."""
        return cls(**_facts(step.after), state=step.after.state)


class RuleSetSummary(RuleSetModel):
    """A rule set without its document. A published one is ``scheduled``, then ``in_force`` until ``effective_until``,
    when the next one takes over; then ``superseded``, or ``retired``.
    """

    rule_set_id: UUID
    state: RuleSetPhase
    revision: int
    version: int | None
    effective_from: datetime | None
    effective_until: datetime | None
    authors: list[str]
    drafted_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    published_by: str | None
    published_at: datetime | None

    @classmethod
    def of(cls, stored: StoredRuleSet, now: datetime) -> Self:
        """The answer for a rule set as it stands at ``now``."""
        return cls(**_shown(stored, now))


class RuleSetAnswer(RuleSetSummary):
    """A rule set with its document."""

    document: dict[str, Any]

    @classmethod
    def of(cls, stored: StoredRuleSet, now: datetime) -> Self:
        """The answer for a rule set as it stands at ``now``."""
        return cls(**_shown(stored, now), document=dict(stored.rule_set.document))


class StepTakenAnswer(RuleSetModel):
    """One step of a rule set's life. ``document_sha256`` tells whether the document changed between two of them."""

    revision: int
    action: Action
    author: str
    at: datetime
    reason: str | None
    version: int | None
    effective_from: datetime | None
    document_sha256: str

    @classmethod
    def of(cls, change: StoredChange) -> Self:
        """The answer for an entry of the history."""
        return cls(**change._asdict() | {"document_sha256": change.document_sha256.hex()})


def _facts(rule_set: LivingRuleSet) -> dict[str, Any]:
    return {
        "rule_set_id": rule_set.rule_set_id,
        "revision": rule_set.revision,
        "version": rule_set.version,
        "effective_from": rule_set.effective_from,
        "authors": list(rule_set.authors),
        "approved_by": rule_set.approved_by,
    }


def _shown(stored: StoredRuleSet, now: datetime) -> dict[str, Any]:
    return _facts(stored.rule_set) | {
        "state": stored.rule_set.phase(stored.effective_until, now),
        "effective_until": stored.effective_until,
        "drafted_at": stored.drafted_at,
        "approved_at": stored.approved_at,
        "published_by": stored.published_by,
        "published_at": stored.published_at,
    }
