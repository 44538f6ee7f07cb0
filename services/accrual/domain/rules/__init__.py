"""What a programme can say about earning, as data: frozen models, one file a family.

``effects`` are what a rule gives, ``predicates`` and ``line_tests`` when and where it applies, ``caps`` how much at
most, ``counted`` what of a receipt earns at all. A document that was published once is judged for ever, bit for bit.
"""

from services.accrual.domain.rules.caps import BalanceCap, Budget, Campaign, MemberCap, ReceiptCap
from services.accrual.domain.rules.counted import Counted, Exclusions
from services.accrual.domain.rules.effects import (
    Effect,
    FixedPoints,
    Multiplier,
    PointsPerAmount,
    PointsPerFullStep,
    PointsPerNumber,
    PointsPerQuantity,
    TierMultiplier,
)
from services.accrual.domain.rules.history import RuleSetHistory
from services.accrual.domain.rules.rule import Condition, Group, Phase, Rule
from services.accrual.domain.rules.rule_set import RuleSet, RuleSetDraft

__all__ = [
    "BalanceCap",
    "Budget",
    "Campaign",
    "Condition",
    "Counted",
    "Effect",
    "Exclusions",
    "FixedPoints",
    "Group",
    "MemberCap",
    "Multiplier",
    "Phase",
    "PointsPerAmount",
    "PointsPerFullStep",
    "PointsPerNumber",
    "PointsPerQuantity",
    "ReceiptCap",
    "Rule",
    "RuleSet",
    "RuleSetDraft",
    "RuleSetHistory",
    "TierMultiplier",
]
