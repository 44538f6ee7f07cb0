"""What closing a case does to the awards it holds."""

from services.fraud.domain.cases import NEVER, settlement_of


def test_confirmed_awards_stay_held_without_end() -> None:
    assert settlement_of("confirmed") == ("hold", NEVER)


def test_what_was_not_proven_is_released() -> None:
    assert settlement_of("valuable_alert") == settlement_of("false_positive") == ("release", None)
