"""Rule sets are immutable versions."""

import pytest
from pydantic import ValidationError

from services.fraud.domain.rule_set import ACTIVE_RULE_SET, RuleSet
from services.fraud.domain.rules.ins_swipe import InsSwipe
from services.fraud.domain.rules.vel_earn import VelEarn


def test_the_active_rule_set_is_what_was_published_as_its_version() -> None:
    """Whoever changes a parameter raises the version: this digest belongs to version 1 for ever."""
    assert (ACTIVE_RULE_SET.version, ACTIVE_RULE_SET.digest) == (
        1,
        "e617e9f32202a5264eb6226d09f091a67afec702c05a91a7fd4b8806b442d5c0",
    )


def test_a_rule_set_comes_back_from_its_stored_form() -> None:
    stored = RuleSet(version=7, hold_hours=24, rules=(InsSwipe(receipts_in_shift=4), VelEarn(receipts_in_day=9)))
    assert RuleSet.model_validate_json(stored.to_json()) == stored
    assert RuleSet.model_validate_json(stored.to_json()).digest == stored.digest != ACTIVE_RULE_SET.digest


def test_a_window_longer_than_what_is_kept_is_refused() -> None:
    with pytest.raises(ValidationError):
        InsSwipe(window_days=31)
