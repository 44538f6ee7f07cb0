"""What HTTP says of rule sets."""

from datetime import datetime
from typing import Any

from services.accrual.domain.rules import RuleSetDraft
from services.accrual.schemas.fields import Answer
from shared.web.strict import AwareTime


class RuleSetBody(RuleSetDraft):
    """A rule set to publish, and when it takes effect: at least a minute ahead, except for the very first."""

    effective_from: AwareTime


class RuleSetAnswer(Answer):
    """A published rule set."""

    version: int
    effective_from: datetime
    rules: list[dict[str, Any]]
    exclusions: dict[str, Any]
    expires_after_days: int | None
