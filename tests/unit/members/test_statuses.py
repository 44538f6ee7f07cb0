"""Which status may follow which, and what each allows: the whole tables, said once more as a programme would."""

from typing import get_args

import pytest

from services.members.domain.errors import MemberGoneError, StatusChangeRefusedError, UnknownReasonError
from services.members.domain.statuses import (
    ALLOWANCES,
    ALLOWED_CHANGES,
    RequestedStatus,
    is_open,
    judge_change,
    judge_open,
    judge_reason,
)
from shared.events.members import MemberStatus

EVERY: tuple[MemberStatus, ...] = get_args(MemberStatus)
OPEN: tuple[MemberStatus, ...] = ("active", "suspended", "earn_only", "spend_locked")
GONE: tuple[MemberStatus, ...] = ("merged", "closed", "erased")

# status: may earn, may spend, may be messaged
ALLOWED = {
    "active": (True, True, True),
    "suspended": (False, False, True),
    "earn_only": (True, False, True),
    "spend_locked": (True, False, True),
    "merged": (False, False, False),
    "closed": (False, False, False),
    "erased": (False, False, False),
}


def test_every_status_says_what_it_allows() -> None:
    told = {name: (each.may_earn, each.may_spend, each.may_be_messaged) for name, each in ALLOWANCES.items()}
    assert told == ALLOWED
    assert set(told) == set(EVERY)


@pytest.mark.parametrize("before", EVERY)
def test_who_takes_part_may_become_anything_and_who_is_gone_nothing_but_erased(before: MemberStatus) -> None:
    assert is_open(before) is (before in OPEN)
    for after in EVERY:
        may_follow = before != after and (before in OPEN or (after == "erased" and before != "erased"))
        assert (after in ALLOWED_CHANGES[before]) is may_follow
        if may_follow:
            judge_change(before, after)
        else:
            with pytest.raises(StatusChangeRefusedError):
                judge_change(before, after)


def test_nobody_can_ask_for_what_is_an_act_of_its_own() -> None:
    assert set(EVERY) - set(get_args(RequestedStatus)) == {"merged", "erased"}


def test_nothing_of_a_member_who_is_gone_is_changed() -> None:
    for status in OPEN:
        judge_open(status)
    for status in GONE:
        with pytest.raises(MemberGoneError):
            judge_open(status)


def test_a_reason_is_one_that_the_programme_declares() -> None:
    judge_reason("deceased", {"deceased"})
    with pytest.raises(UnknownReasonError, match=r"/reason_code: .*deceased, inactivity"):
        judge_reason("because", {"inactivity", "deceased"})
