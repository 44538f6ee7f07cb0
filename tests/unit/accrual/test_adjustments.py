"""Adjustments, decided without a database: what they may say, when they need a second person, what files add up to."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.adjustment_files import AdjustmentFile, row_of
from services.accrual.domain.adjustments import (
    DEFAULT_REASONS,
    Adjustment,
    AdjustmentReason,
    AdjustmentRules,
    OwnAdjustmentError,
    UnknownAdjustmentReasonError,
    UnusableAdjustmentError,
    command_of,
    expiry_of,
    id_of_line,
    id_of_request,
    judge,
    why_not_posted,
)
from services.accrual.domain.moved_alone import AloneLimits, MovedToday, may_alone
from shared.ledger import AdjustDown, AdjustUp
from shared.ledger.terms import PROGRAMME
from shared.web.csv_pages import NOTHING_TAKEN
from tests.support.receipts import member

TODAY = date(2026, 11, 26)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
RULES = AdjustmentRules.of(DEFAULT_REASONS, points_max=100, file_points_max=1_000)
FILE_ID = UUID(int=7)


def adjustment(points: int = 50, **changes: object) -> Adjustment:
    plain = Adjustment(
        adjustment_id=id_of_request("support", "k1"),
        member_id=member(1),
        point_type="points",
        points=points,
        reason_code="complaint",
        kind="compensation",
        basis="compensation",
        note=None,
        expires_on=None,
        is_clipped=False,
        created_by="support",
        created_at=NOW,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def file(**changes: object) -> AdjustmentFile:
    plain = AdjustmentFile(FILE_ID, "bonus", "open", False, 0, 0, 0, 0, 0, NOTHING_TAKEN, None, 0, 0, "support", NOW)
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (adjustment(0), "points"),
        (adjustment(-5, expires_on=date(2027, 1, 1)), "expires_on"),
        (adjustment(5, is_clipped=True), "clip"),
        (adjustment(5, expires_on=TODAY), "expires_on"),
        (adjustment(5, note="call back at +1 212 555 0100"), "note"),
        (adjustment(5, note="ada@example.com complained"), "note"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_field(asked: Adjustment, field: str) -> None:
    with pytest.raises(UnusableAdjustmentError) as refused:
        judge(asked, TODAY)
    assert refused.value.field == field


def test_a_plain_one_can_be_meant() -> None:
    judge(adjustment(5, note="broken freezer, ticket 4711", expires_on=date(2026, 11, 27)), TODAY)
    judge(adjustment(-5, is_clipped=True), TODAY)


def test_reasons_say_what_lots_are_made_of_and_how_long_they_last() -> None:
    yearly = AdjustmentReason(code="late_parcel", expires_after_days=365)
    assert expiry_of(yearly, 5, None, TODAY) == date(2027, 11, 26)
    assert expiry_of(yearly, 5, date(2026, 12, 24), TODAY) == date(2026, 12, 24)
    assert expiry_of(yearly, -5, None, TODAY) is None
    assert expiry_of(RULES.reason("goodwill"), 5, None, TODAY) is None
    assert RULES.reason("prize").basis == "prize"
    with pytest.raises(UnknownAdjustmentReasonError, match="complaint"):
        RULES.reason("because")


def test_given_points_are_the_programmes_and_taken_ones_anybodys() -> None:
    given_, taken = command_of(adjustment(5), member(1), TODAY), command_of(adjustment(-5), member(2), TODAY)
    assert isinstance(given_, AdjustUp)
    assert (given_.terms.issuer, given_.terms.basis) == (PROGRAMME, "compensation")
    assert isinstance(taken, AdjustDown)
    assert (taken.owner_id, taken.points, taken.is_partial) == (member(2), 5, False)


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("active", None),
        ("suspended", None),
        ("earn_only", None),
        ("spend_locked", None),
        ("merged", None),
        ("closed", "member_closed"),
        ("erased", "member_erased"),
        (None, "member_unknown"),
    ],
)
def test_who_is_gone_is_given_nothing(status: str, refusal: str | None) -> None:
    assert why_not_posted(adjustment(), status, TODAY) == refusal  # type: ignore[arg-type]


def test_of_an_erased_person_no_words_are_kept() -> None:
    assert adjustment(note="angry").refused("member_erased", None, NOW).note is None
    assert adjustment(note="angry").refused("not_approved", "boss", NOW).note == "angry"


def test_ids_follow_from_who_asked_under_which_key_and_from_file_and_line() -> None:
    assert id_of_request("a", "k") == id_of_request("a", "k")
    assert len({id_of_request("a", "k"), id_of_request("b", "k"), id_of_request("a", "l")}) == 3
    assert len({id_of_line(FILE_ID, 2), id_of_line(FILE_ID, 3), id_of_line(UUID(int=8), 2)}) == 3
    assert str(id_of_request("support", "k1")) == "e4bf9af8-5d51-5817-8f63-47cef28a7bf9"


def test_a_record_becomes_an_adjustments_body() -> None:
    columns = ("member_id", "points", "reason_code", "note")
    assert row_of(columns, ("m", "-12", "mistake", "")) == {"member_id": "m", "points": -12, "reason_code": "mistake"}
    assert row_of(columns, ("m", "+3", "", "x")) == {"member_id": "m", "points": 3, "note": "x"}
    assert row_of(("points",), ("1.5",)) == {"points": "1.5"}
    assert row_of(("points",), ("--5",)) == {"points": "--5"}


@given(st.lists(st.integers(-150, 150).filter(bool), max_size=12), st.integers(1, 4))
def test_a_file_adds_up_whatever_its_pages(points: list[int], page: int) -> None:
    taken = file()
    asked = [adjustment(each, line=line, file_id=FILE_ID) for line, each in enumerate(points, 2)]
    for start in range(0, len(asked), page):
        taken = taken.with_page(asked[start : start + page], refused=1, digest=b"d", repeats=None)
    done = taken.finished(RULES, NOW)

    assert taken.accepted == len(points)
    assert taken.points_total == sum(map(abs, points))
    assert taken.records_taken == taken.accepted + taken.refused
    is_large = taken.points_total > 1_000 or any(abs(each) > 100 for each in points)
    assert done.state == ("posted" if not points else "waiting" if is_large else "approved")


def test_a_repeated_file_needs_a_second_person_and_its_sender_is_none() -> None:
    repeated = file(accepted=1, points_total=1, points_largest=1, repeats=UUID(int=9)).finished(RULES, NOW)
    assert repeated.state == "waiting"
    with pytest.raises(OwnAdjustmentError):
        repeated.approved("support", NOW)
    approved = repeated.approved("boss", NOW)
    assert approved.approved("boss", NOW) is approved
    over = approved.with_decided([adjustment().posted(50, "boss", NOW)])
    assert (over.state, over.posted, over.failed) == ("posted", 1, 0)


@pytest.mark.parametrize(
    ("wanted", "by_author", "of_members", "is_alone"),
    [
        ({"a": 100}, 0, {}, True),
        ({"a": 101}, 0, {}, False),  # at once
        ({"a": 60, "b": 41}, 0, {}, False),  # one act is one act, of however many members
        ({"a": 50}, 250, {"b": 250}, True),
        ({"a": 51}, 250, {}, False),  # the author's day
        ({"a": 50}, 0, {"a": 150, "b": 199}, True),
        ({"a": 51}, 0, {"a": 150}, False),  # the member's day
    ],
)
def test_one_person_moves_alone_up_to_each_limit(
    wanted: dict[str, int], by_author: int, of_members: dict[str, int], is_alone: bool
) -> None:
    limits = AloneLimits(points_max=100, author_day_points_max=300, member_day_points_max=200)
    assert may_alone(limits, wanted, MovedToday(by_author, of_members)) is is_alone


def test_a_file_beyond_the_day_waits_however_small_it_is() -> None:
    sent = file().with_page([adjustment(10)], refused=0, digest=b"d", repeats=None)
    assert sent.finished(RULES, NOW).state == "approved"
    assert sent.finished(RULES, NOW, is_beyond_day=True).state == "waiting"
