"""An immutable version of all rules and their parameters."""

from pydantic import PositiveInt

from services.fraud.domain.rules import RULES, Rule
from services.fraud.domain.versioned_rules import VersionedRules


class RuleSet(VersionedRules):
    """What decisions are made by."""

    hold_hours: PositiveInt = 72
    rules: tuple[Rule, ...] = RULES


ACTIVE_RULE_SET = RuleSet(version=3)
