"""What follows from an attempt."""

import pytest

from services.notifications.domain.delivery import (
    DEFERRAL_SECONDS_MAX,
    DEFERRALS_MAX,
    JITTER_SHARE,
    Accepted,
    Deferred,
    Interrupted,
    NotDeliverable,
    NotRendered,
    Outcome,
    Refused,
    Retry,
    Settle,
    Stage,
    Unavailable,
    decide,
    judge_reply,
)


@pytest.mark.parametrize(
    ("stage", "reply_code", "expected"),
    [
        ("recipient", 550, Refused("recipient_refused", 550)),
        ("content", 554, Refused("message_refused", 554)),
        ("recipient", 450, Deferred(450)),
        ("content", 452, Deferred(452)),
        ("recipient", 421, Unavailable("mail_server")),
        ("content", 421, Unavailable("mail_server")),
        ("sender", 550, Unavailable("mail_server")),
        ("sender", 451, Unavailable("mail_server")),
        ("recipient", 354, Deferred(354)),
    ],
)
def test_a_reply_is_judged_by_the_command_it_answers(stage: Stage, reply_code: int, expected: Outcome) -> None:
    assert judge_reply(stage, reply_code) == expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Accepted(), Settle("sent", None, None)),
        (Refused("recipient_refused", 550), Settle("failed", "recipient_refused", 550)),
        (NotDeliverable("member_closed"), Settle("suppressed", "member_closed", None)),
        (Deferred(450), Retry(60.0, 1, 450)),
        (Interrupted(), Retry(60.0, 1, None)),
        (NotRendered(), Retry(60.0, 1, None)),
    ],
)
def test_a_first_attempt(outcome: Outcome, expected: Settle | Retry) -> None:
    assert decide(outcome, deferrals=0, jitter=0.0) == expected


def test_deferrals_double_up_to_a_bound_and_then_end_the_message() -> None:
    delays = []
    for deferrals in range(DEFERRALS_MAX):
        decision = decide(Deferred(450), deferrals, jitter=0.0)
        assert isinstance(decision, Retry)
        assert decision.deferrals == deferrals + 1
        delays.append(decision.delay_seconds)

    assert delays[:4] == [60, 120, 240, 480]
    assert delays[-1] == DEFERRAL_SECONDS_MAX
    assert decide(Deferred(450), DEFERRALS_MAX, jitter=0.0) == Settle("failed", "deferred_too_often", 450)
    assert decide(Interrupted(), DEFERRALS_MAX, jitter=0.0) == Settle("failed", "interrupted_too_often", None)


def test_an_outage_never_ends_a_message() -> None:
    decision = decide(Unavailable("registry"), deferrals=DEFERRALS_MAX, jitter=0.0)

    assert isinstance(decision, Retry)
    assert decision.deferrals == DEFERRALS_MAX


def test_jitter_spreads_retries_upwards_only() -> None:
    early, late = decide(Deferred(450), 0, jitter=0.0), decide(Deferred(450), 0, jitter=0.999)

    assert isinstance(early, Retry)
    assert isinstance(late, Retry)
    assert early.delay_seconds == 60
    assert 60 < late.delay_seconds < 60 * (1 + JITTER_SHARE)
