"""What a service's rule sets are: where they stand in its API, what a document is, and who may do what."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from shared.database import Transaction
from shared.faults import Fault
from shared.rule_sets.life import Step


class FaultyRuleSetError(Exception):
    """The document cannot become a draft; each fault points at a field."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class RuleSetKind:
    """``check`` gives the document as it is stored, with every default said, or raises ``FaultyRuleSetError``;
    ``publish`` is the step with all that a service does besides when a version takes effect. Clients need the scopes.
    """

    prefix: str
    tag: str
    model: type[BaseModel]
    schema: Callable[[], dict[str, Any]]
    check: Callable[[Transaction, Mapping[str, Any]], Awaitable[dict[str, Any]]]
    publish: Callable[[Transaction, UUID, str, datetime], Awaitable[Step]]
    read_scope: str
    write_scope: str
    approve_scope: str
