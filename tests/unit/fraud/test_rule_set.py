"""Rule sets are immutable versions."""

import pytest
from pydantic import ValidationError

from services.fraud.domain.rule_set import ACTIVE_RULE_SET, RuleSet
from services.fraud.domain.rules.ins_swipe import InsSwipe
from services.fraud.domain.rules.vel_earn import VelEarn

# As it stands in the databases where it was published.
FIRST = (
    b'{"version":1,"hold_hours":72,"rules":[{"code":"INS_SWIPE","receipts_in_shift":3,"window_days":30,'
    b'"receipts_of_pair":10,"share_percent":80,"most_in_a_shift":2},{"code":"VEL_EARN","receipts_in_day":6}]}'
)


def test_the_active_rule_set_is_what_was_published_as_its_version() -> None:
    """Whoever changes a parameter raises the version: this digest belongs to version 3 for ever."""
    assert (ACTIVE_RULE_SET.version, ACTIVE_RULE_SET.digest) == (
        3,
        "3c51b5884ab5bf35f13233b628a880a8d5f624cec4290c13bed66703a57149cc",
    )


def test_the_first_version_is_read_as_it_was_published() -> None:
    """It knew no own cards: its decisions have one figure less, and are explained by its own checks."""
    first = RuleSet.model_validate_json(FIRST)
    assert (first.digest, first.to_json()) == (
        "e617e9f32202a5264eb6226d09f091a67afec702c05a91a7fd4b8806b442d5c0",
        FIRST,
    )
    assert (len(first.rules[0].checks()), len(ACTIVE_RULE_SET.rules[0].checks())) == (4, 5)


def test_a_rule_set_comes_back_from_its_stored_form() -> None:
    stored = RuleSet(version=7, hold_hours=24, rules=(InsSwipe(receipts_in_shift=4), VelEarn(receipts_in_day=9)))
    assert RuleSet.model_validate_json(stored.to_json()) == stored
    assert RuleSet.model_validate_json(stored.to_json()).digest == stored.digest != ACTIVE_RULE_SET.digest


def test_a_window_longer_than_what_is_kept_is_refused() -> None:
    with pytest.raises(ValidationError):
        InsSwipe(window_days=31)
