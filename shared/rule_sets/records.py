"""What is kept of a rule set and of each step of its life."""

from datetime import datetime
from typing import NamedTuple

from shared.rule_sets.life import Action, LivingRuleSet


class StoredRuleSet(NamedTuple):
    """A rule set with its times. ``effective_until`` is when the next one takes over, where one will."""

    rule_set: LivingRuleSet
    drafted_at: datetime
    approved_at: datetime | None
    published_by: str | None
    published_at: datetime | None
    effective_until: datetime | None


class StoredChange(NamedTuple):
    """One step of a rule set's life, as it was recorded."""

    revision: int
    action: Action
    author: str
    at: datetime
    reason: str | None
    version: int | None
    effective_from: datetime | None
    document_sha256: bytes
