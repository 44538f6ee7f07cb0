"""What follows from what a member said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.members.domain.consents import (
    Confirmation,
    Consent,
    ConsentKey,
    Statement,
    ends_waiting,
    in_effect,
    judge_confirmation,
    judge_speaker,
    outcome_of,
)
from services.members.domain.errors import MemberGoneError
from services.members.domain.registry import Member
from services.members.domain.stated import CLOCK_AHEAD_MAX, stated_time
from services.members.domain.statement_errors import (
    ConfirmationExpiredError,
    ConfirmationUnknownError,
    ConfirmationUsedError,
    ConsentSupersededError,
    StatedInFutureError,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SMS = ConsentKey(UUID(int=1), "marketing", "sms", None)
EMAIL = replace(SMS, channel="email")


def said(key: ConsentKey, *, is_granted: bool, at: datetime = NOON, text: str = "v1") -> Statement:
    return Statement(UUID(int=7), key, is_granted, text, "en", "web", None, at, at, "programme")


def test_a_first_statement_holds_and_a_newer_one_replaces_it() -> None:
    given = said(SMS, is_granted=True)
    assert outcome_of(given, None, None) == "in_effect"
    present = in_effect(given, None)
    assert present.version == 1
    withdrawn = said(SMS, is_granted=False, at=NOON + HOUR)
    assert outcome_of(withdrawn, present, None) == "in_effect"
    assert in_effect(withdrawn, present) == Consent(withdrawn, 2)


def test_an_older_statement_and_the_same_one_again_change_nothing() -> None:
    present = in_effect(said(SMS, is_granted=False), None)
    assert outcome_of(said(SMS, is_granted=True, at=NOON - HOUR), present, None) == "outdated"
    assert outcome_of(said(SMS, is_granted=False), present, None) == "outdated"


def test_of_two_statements_of_one_moment_the_withdrawal_holds() -> None:
    given, withdrawn = said(SMS, is_granted=True), said(SMS, is_granted=False)
    assert outcome_of(withdrawn, in_effect(given, None), None) == "in_effect"
    assert outcome_of(given, in_effect(withdrawn, None), None) == "outdated"


def test_an_email_consent_waits_and_its_withdrawal_does_not() -> None:
    given = said(EMAIL, is_granted=True)
    assert outcome_of(given, None, None) == "pending"
    assert outcome_of(said(EMAIL, is_granted=False), None, None) == "in_effect"
    assert outcome_of(given, None, given) == "pending"  # its token was lost: another one
    assert outcome_of(said(EMAIL, is_granted=True, at=NOON - HOUR), None, given) == "outdated"


def test_a_withdrawal_ends_the_wait_of_what_was_given_before_and_not_of_what_came_after() -> None:
    withdrawn = said(EMAIL, is_granted=False)
    assert ends_waiting(withdrawn, said(EMAIL, is_granted=True, at=NOON - HOUR))
    assert not ends_waiting(withdrawn, said(EMAIL, is_granted=True, at=NOON + HOUR))


def waiting(**changes: object) -> Confirmation:
    made = Confirmation(said(EMAIL, is_granted=True), b"digest", NOON + HOUR, "awaited")
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_token_works_once_in_time_and_unless_something_newer_was_said() -> None:
    assert judge_confirmation(waiting(), None, NOON).state == "confirmed"
    with pytest.raises(ConfirmationUnknownError):
        judge_confirmation(None, None, NOON)
    with pytest.raises(ConfirmationUsedError):
        judge_confirmation(waiting(state="confirmed"), None, NOON)
    with pytest.raises(ConfirmationExpiredError):
        judge_confirmation(waiting(), None, NOON + HOUR)
    with pytest.raises(ConsentSupersededError):
        judge_confirmation(waiting(state="superseded"), None, NOON)
    with pytest.raises(ConsentSupersededError):
        judge_confirmation(waiting(), in_effect(said(EMAIL, is_granted=False), None), NOON)


def test_who_left_may_withdraw_and_may_not_give() -> None:
    for status in ("closed", "merged", "erased"):
        member = Member(UUID(int=1), status, "en", None, 1, NOON)
        with pytest.raises(MemberGoneError):
            judge_speaker(member, is_granted=True)
    judge_speaker(Member(UUID(int=1), "closed", "en", None, 1, NOON), is_granted=False)
    with pytest.raises(MemberGoneError):
        judge_speaker(Member(UUID(int=1), "erased", "en", None, 1, NOON), is_granted=False)


def test_a_statement_is_never_later_than_now() -> None:
    assert stated_time(None, NOON) == NOON
    assert stated_time(NOON - HOUR, NOON) == NOON - HOUR
    assert stated_time(NOON + CLOCK_AHEAD_MAX, NOON) == NOON  # a clock that runs ahead
    with pytest.raises(StatedInFutureError):
        stated_time(NOON + HOUR, NOON)
