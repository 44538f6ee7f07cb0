"""An immutable version of all rules over spending and their parameters."""

from services.fraud.domain.spending.rules import SPEND_RULES, SpendRule
from services.fraud.domain.versioned_rules import VersionedRules


class SpendRuleSet(VersionedRules):
    """What verdicts are made by."""

    rules: tuple[SpendRule, ...] = SPEND_RULES


ACTIVE_SPEND_RULE_SET = SpendRuleSet(version=3)
