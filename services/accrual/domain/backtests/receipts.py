"""A receipt and a return as they were decided: what a backtest judges again."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.category_mapping import Categories
from services.accrual.domain.earning_facts import EarningFacts
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData


class AwardedReceipt(NamedTuple):
    """A purchase with what it was awarded: by which rules, facts and categories, and how many points of each rule.

    ``loaded`` are facts as they are known now, for what was not stored. ``base_minor`` is what it earned on,
    ``comes_back`` whether goods of it came back at some time, ``is_voided`` whether it never was, as it turned out.
    """

    natural_key: bytes
    decided_at: datetime
    owner_id: UUID
    purchase: PurchaseData
    rule_set: RuleSet
    categories: Categories
    stored: EarningFacts
    loaded: EarningFacts
    points: int
    base_minor: int
    applied: Mapping[str, int]
    tier: str | None
    comes_back: bool
    is_voided: bool = False


class TakenReturn(NamedTuple):
    """A return or a void that was decided: the quantities that came back, by line. What it took follows from the rules.

    What ``is_void`` takes the purchase itself off what was counted, too. ``is_handover``: it took what a prepayment had
    given, whose goods were handed over.
    """

    natural_key: bytes
    original_key: bytes
    owner_id: UUID
    returned_thousandths: Mapping[int, int]
    decided_at: datetime
    is_void: bool = False
    is_handover: bool = False
