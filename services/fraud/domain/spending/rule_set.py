"""An immutable version of all rules over spending and their parameters."""

import hashlib
from functools import cached_property

from pydantic import BaseModel, ConfigDict, PositiveInt

from services.fraud.domain.spending.rules import SPEND_RULES, SpendRule


class SpendRuleSet(BaseModel):
    """What verdicts are made by. A decision names the version; versions are stored and never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: PositiveInt
    rules: tuple[SpendRule, ...] = SPEND_RULES

    def to_json(self) -> bytes:
        """The form that is stored: field order is the order of declaration, so that equal rule sets are equal bytes.

        A threshold that a version does not have is left out, so that versions of before it was thought of stay as they
        are.
        """
        return self.model_dump_json(exclude_none=True).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the stored form."""
        return hashlib.sha256(self.to_json()).hexdigest()


# Whoever changes a rule's parameters raises the version: a process refuses to start where the stored version differs.
ACTIVE_SPEND_RULE_SET = SpendRuleSet(version=1)
