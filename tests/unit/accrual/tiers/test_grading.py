"""Worked examples: what tier holds, since when, until when, and why."""

import pytest

from services.accrual.domain.tiers.grading import grade
from services.accrual.domain.tiers.joining import joined_standing
from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from services.accrual.domain.tiers.standing import Grant, Standing, beginner, holds_until
from tests.support.tiers import LADDER, TEN_DAYS, at, collected, graded, scheme, told

NEW_YEAR = "2025-12-31T23:00"  # of 2026, in Berlin
NEXT_YEAR = "2026-12-31T23:00"
AFTER_NEXT = "2027-12-31T23:00"


def standing_after(by_day: dict[str, int], moment: str, *schemes: TierScheme) -> Standing:
    return graded(None, by_day, moment, "collected", *schemes).standing


def test_a_tier_is_reached_at_once_and_holds_through_the_next_period() -> None:
    before = graded(None, {"2026-03-01": 99}, "2026-03-01T10:00", "collected")
    assert (before.standing.tier, before.changes, before.standing.graded_next_at) == ("basic", (), None)

    found = graded(before.standing, {"2026-03-01": 99, "2026-03-02": 1}, "2026-03-02T10:00", "collected")

    assert told(found) == [("2026-03-02T10:00", "silver", "qualified", AFTER_NEXT)]


def test_at_the_period_s_end_it_is_earned_again_or_lost() -> None:
    silver = standing_after({"2026-03-01": 120}, "2026-03-01T10:00")

    at_the_first_end = graded(silver, {"2026-03-01": 120}, "2027-01-01T10:00")
    assert at_the_first_end.changes == ()  # 2026 has earned 2027

    assert told(graded(silver, {"2026-03-01": 120}, "2028-06-01T10:00")) == [
        (AFTER_NEXT, "basic", "period_ended", None)
    ]
    again = graded(silver, {"2026-03-01": 120, "2027-12-31": 100}, "2028-06-01T10:00")
    assert again.changes == ()


def test_up_with_the_next_period() -> None:
    later = scheme(upgrade="next_period")
    waiting = graded(None, {"2026-03-01": 600}, "2026-03-01T10:00", "collected", later)
    assert waiting.changes == ()

    found = graded(waiting.standing, {"2026-03-01": 600}, "2027-01-05T10:00", "time", later)

    assert told(found) == [(NEXT_YEAR, "gold", "qualified", AFTER_NEXT)]
    taken_back = graded(waiting.standing, {"2026-03-01": 90}, "2026-04-01T10:00", "reversed", later)
    assert taken_back.standing.graded_next_at is None  # there is nothing to give any more


@pytest.mark.parametrize(
    ("changes", "tiers"),
    [
        ({"downgrade": "full"}, [(AFTER_NEXT, "basic")]),
        ({"downgrade": "one_step"}, [(AFTER_NEXT, "silver"), ("2028-12-31T23:00", "basic")]),
        ({"downgrade": "none"}, []),
        ({"grace_days": 31}, [("2028-01-31T23:00", "basic")]),
        ({"grace_days": 31, "downgrade": "one_step"}, [("2028-01-31T23:00", "silver"), ("2029-01-31T23:00", "basic")]),
    ],
)
def test_down_by_policy(changes: dict[str, object], tiers: list[tuple[str, str]]) -> None:
    policy = scheme(**changes)
    gold = standing_after({"2026-03-01": 600}, "2026-03-01T10:00", policy)

    found = graded(gold, {"2026-03-01": 600}, "2031-01-01T10:00", "time", policy)

    assert [each[:2] for each in told(found)] == tiers
    assert {each[2] for each in told(found)} <= {"period_ended"}


@pytest.mark.parametrize(("next_year", "tier"), [(399, "silver"), (400, "silver"), (99, "basic"), (499, "silver")])
def test_who_came_near_lands_softly(next_year: int, tier: str) -> None:
    """80% of gold's 500 is 400: with 400 gold is lost by one step, below it to what was reached."""
    soft = scheme(soft_landing_percent=80)
    by_day = {"2026-03-01": 600, "2027-03-01": next_year}
    gold = standing_after(by_day, "2027-03-01T10:00", soft)

    found = graded(gold, by_day, "2028-01-02T10:00", "time", soft)

    assert (found.standing.tier, found.standing.is_landed) == (tier, False)


def test_a_soft_landing_holds_a_tier_that_was_not_reached() -> None:
    ladder = [*LADDER, {"code": "platinum", "name": "Platinum", "needs": {"points": 550}}]
    soft = scheme(tiers=ladder, soft_landing_percent=80)
    by_day = {"2026-03-01": 600, "2027-03-01": 440}  # 80% of 550, and less than gold's 500
    platinum = standing_after(by_day, "2027-03-01T10:00", soft)

    found = graded(platinum, by_day, "2028-01-02T10:00", "time", soft)

    assert (found.standing.tier, found.standing.is_landed) == ("gold", True)
    assert told(graded(found.standing, by_day, "2029-01-02T10:00", "time", soft)) == [
        ("2028-12-31T23:00", "basic", "period_ended", None)
    ]


def test_what_comes_within_the_grace_keeps_the_tier() -> None:
    policy = scheme(grace_days=31)
    silver = standing_after({"2026-03-01": 120}, "2026-03-01T10:00", policy)
    in_grace = graded(silver, {"2026-03-01": 120}, "2028-01-10T10:00", "time", policy)
    assert (in_grace.changes, in_grace.standing.grace_until) == ((), at("2028-01-31T23:00"))

    found = graded(in_grace.standing, {"2026-03-01": 120, "2028-01-11": 100}, "2028-01-11T10:00", "collected", policy)

    assert (found.changes, found.standing.grace_until) == ((), None)
    assert graded(found.standing, {"2028-01-11": 100}, "2028-06-01T10:00", "time", policy).changes == ()


def test_a_late_receipt_counts_on_its_own_day() -> None:
    silver = standing_after({"2026-03-01": 120}, "2026-03-01T10:00")
    lost = graded(silver, {"2026-03-01": 120, "2027-05-01": 90}, "2028-01-02T10:00").standing
    assert lost.tier == "basic"

    found = graded(lost, {"2026-03-01": 120, "2027-05-01": 100}, "2028-01-03T10:00", "collected")

    assert told(found) == [("2028-01-03T10:00", "silver", "qualified", "2028-12-31T23:00")]


def test_a_return_leaves_the_tier_to_the_period_s_end_or_takes_it_at_once() -> None:
    gold = standing_after({"2026-03-01": 600}, "2026-03-01T10:00")

    kept = graded(gold, {"2026-03-01": 90}, "2026-04-01T10:00", "reversed")
    assert kept.changes == ()
    assert told(graded(kept.standing, {"2026-03-01": 90}, "2027-02-01T10:00")) == [
        (NEXT_YEAR, "basic", "period_ended", None)
    ]

    strict = scheme(on_reversal="regrade")
    taken = graded(gold, {"2026-03-01": 120}, "2026-04-01T10:00", "reversed", strict)
    assert told(taken) == [("2026-04-01T10:00", "silver", "reversed", AFTER_NEXT)]


def test_what_last_year_earned_is_not_taken_by_a_return_of_this_year_s() -> None:
    strict = scheme(on_reversal="regrade")
    gold = standing_after({"2025-03-01": 600, "2026-02-01": 50}, "2026-02-01T10:00", strict)

    assert graded(gold, {"2025-03-01": 600}, "2026-03-01T10:00", "reversed", strict).changes == ()


def test_a_landed_tier_is_not_taken_by_a_return() -> None:
    strict = scheme(on_reversal="regrade", downgrade="none")
    gold = standing_after({"2025-03-01": 600}, "2025-03-01T10:00", strict)
    years_later = graded(gold, {"2025-03-01": 600, "2029-01-01": 50}, "2029-01-02T10:00", "collected", strict)

    assert years_later.standing.is_landed
    assert graded(years_later.standing, {"2025-03-01": 600}, "2029-01-03T10:00", "reversed", strict).changes == ()


def test_a_rolling_tier_ends_on_the_day_on_which_too_little_is_left() -> None:
    rolling = scheme(period=TEN_DAYS)
    by_day = {"2026-03-22": 60, "2026-03-25": 50, "2026-03-28": 20}

    found = graded(None, by_day, "2026-03-28T10:00", "collected", rolling)

    # The 60 of 22 March leave on 1 April, which begins at 22:00 UTC: the clock was put forward on 29 March.
    assert told(found) == [("2026-03-28T10:00", "silver", "qualified", "2026-03-31T22:00")]
    assert told(graded(found.standing, by_day, "2026-04-01T00:00", "time", rolling)) == [
        ("2026-03-31T22:00", "basic", "period_ended", None)
    ]
    more = graded(found.standing, by_day | {"2026-03-30": 30}, "2026-03-30T10:00", "collected", rolling)
    assert more.standing.graded_next_at == at("2026-04-03T22:00")  # 50 + 20 + 30 hold until the 50 leave


def test_rolling_with_grace_and_one_step() -> None:
    policy = scheme(period=TEN_DAYS, grace_days=5, downgrade="one_step")
    gold = standing_after({"2026-06-01": 600}, "2026-06-01T10:00", policy)

    found = graded(gold, {"2026-06-01": 600}, "2026-08-01T10:00", "time", policy)

    # Leaves on 11 June, five days of grace, ten days of silver, five days of grace.
    assert told(found) == [
        ("2026-06-15T22:00", "silver", "period_ended", "2026-06-30T22:00"),
        ("2026-06-30T22:00", "basic", "period_ended", None),
    ]


def test_a_return_does_not_shorten_a_rolling_tier_unless_the_policy_says_so() -> None:
    by_day = {"2026-06-01": 60, "2026-06-05": 60}
    for on_reversal, tier in (("keep", "silver"), ("regrade", "basic")):
        policy = scheme(period=TEN_DAYS, on_reversal=on_reversal)
        silver = standing_after(by_day, "2026-06-05T10:00", policy)

        found = graded(silver, by_day | {"2026-06-05": 10}, "2026-06-06T10:00", "reversed", policy)

        assert found.standing.tier == tier
        assert graded(
            found.standing, by_day | {"2026-06-05": 10}, "2026-06-11T10:00", "time", policy
        ).standing.tier == ("basic")


def test_an_anniversary_on_29_february() -> None:
    years = scheme(period={"kind": "anniversary"})
    member = collected({"2024-03-01": 120}, anchor="2024-02-29")
    silver = graded(None, member, "2024-03-01T10:00", "collected", years).standing

    # 2024 earned 2025, which ends before 28 February 2026 begins.
    assert told(graded(silver, member, "2026-06-01T10:00", "time", years)) == [
        ("2026-02-27T23:00", "basic", "period_ended", None)
    ]


def test_a_grant_holds_until_it_ends_and_what_was_earned_meanwhile_stays() -> None:
    grant = Grant("gold", at("2026-05-01T10:00"), at("2026-08-01T10:00"))
    granted = graded(None, collected({}, grant), "2026-05-01T10:00", "granted")
    assert told(granted) == [("2026-05-01T10:00", "gold", "granted", "2026-08-01T10:00")]

    earning = graded(granted.standing, collected({"2026-06-01": 120}, grant), "2026-06-01T10:00", "collected")
    assert (earning.changes, earning.standing.earned) == ((), "silver")
    assert told(graded(earning.standing, collected({"2026-06-01": 120}, grant), "2026-09-01T10:00")) == [
        ("2026-08-01T10:00", "silver", "grant_ended", AFTER_NEXT)
    ]
    assert told(graded(earning.standing, collected({"2026-06-01": 120}), "2026-07-01T10:00", "grant_revoked")) == [
        ("2026-07-01T10:00", "silver", "grant_revoked", AFTER_NEXT)
    ]


def test_a_tier_that_is_earned_outlives_a_grant_of_the_same() -> None:
    grant = Grant("silver", at("2026-05-01T10:00"), at("2028-08-01T10:00"))
    member = collected({"2026-03-01": 120}, grant)
    standing = graded(None, member, "2026-05-02T10:00", "collected").standing

    assert holds_until(standing, member, scheme(), at("2026-05-02T10:00")) == at("2028-08-01T10:00")
    assert told(graded(standing, member, "2029-01-01T10:00")) == [("2028-08-01T10:00", "basic", "grant_ended", None)]


def test_a_new_version_takes_no_tier_and_gives_those_that_are_reached_now() -> None:
    easier = [LADDER[0], LADDER[1] | {"needs": {"points": 50}}, LADDER[2]]
    harder = [LADDER[0], LADDER[1] | {"needs": {"points": 200}}, LADDER[2]]
    second = scheme(tiers=easier, version=2, effective_from=at("2026-06-01"))
    third = scheme(tiers=harder, version=3, effective_from=at("2026-09-01"))
    basic = standing_after({"2026-03-01": 60}, "2026-03-01T10:00")

    found = graded(basic, {"2026-03-01": 60}, "2027-02-01T10:00", "time", scheme(), second, third)

    assert told(found) == [
        ("2026-06-01T00:00", "silver", "scheme_changed", AFTER_NEXT),
        (NEXT_YEAR, "basic", "period_ended", None),  # 60 points are not enough for 2027 any more
    ]


def test_a_tier_that_the_ladder_has_no_more_gives_way_to_what_is_reached() -> None:
    shorter = scheme(tiers=LADDER[:2], version=2, effective_from=at("2026-06-01"))
    gold = standing_after({"2026-03-01": 600}, "2026-03-01T10:00")

    found = graded(gold, {"2026-03-01": 600}, "2026-06-02T10:00", "time", scheme(), shorter)

    assert told(found) == [("2026-06-01T00:00", "silver", "scheme_changed", AFTER_NEXT)]


def test_a_new_kind_of_period_leaves_a_tier_to_the_end_of_the_period_that_it_was_in() -> None:
    never = scheme(downgrade="none")
    rolling = scheme(period=TEN_DAYS, version=2, effective_from=at("2026-06-01T00:00+02:00"))
    gold = standing_after({"2025-03-01": 600}, "2025-03-01T10:00", never)

    found = graded(gold, {"2025-03-01": 600}, "2027-02-01T10:00", "time", never, rolling)

    assert told(found)[0][:2] == ("2026-12-31T23:00", "basic")


def test_of_two_who_are_one_the_higher_tier_is_kept() -> None:
    gold = standing_after({"2026-03-01": 600}, "2026-04-01T10:00")
    basic = beginner(scheme(), at("2026-04-01T10:00"))

    for survivor, merged in ((basic, gold), (gold, basic)):
        joined = joined_standing(survivor, merged, scheme())
        found = graded(joined, {"2026-03-01": 600}, "2026-04-01T10:00", "merged")
        assert found.standing.tier == "gold"
        assert [each[1:3] for each in told(found)] == ([("gold", "merged")] if survivor is basic else [])


def test_a_tier_that_nothing_collected_would_reach_any_more_is_kept_by_a_merge() -> None:
    """Nobody falls by this scheme: gold was earned four years before."""
    for_ever, years_ago = scheme(downgrade="none"), {"2026-03-01": 600}
    gold = standing_after(years_ago, "2026-03-01T10:00", for_ever)
    gold = graded(gold, years_ago, "2030-04-01T10:00", "time", for_ever).standing
    basic = beginner(for_ever, at("2030-04-01T10:00"))

    for survivor, merged in ((basic, gold), (gold, basic)):
        joined = joined_standing(survivor, merged, for_ever)
        found = graded(joined, years_ago, "2030-04-01T10:00", "merged", for_ever)
        assert (found.standing.tier, gold.tier) == ("gold", "gold")


def test_two_who_are_one_reach_together_what_neither_had() -> None:
    one = standing_after({"2026-03-01": 60}, "2026-04-01T10:00")
    other = standing_after({"2026-03-02": 60}, "2026-04-01T10:00")

    joined = joined_standing(one, other, scheme())
    found = graded(joined, {"2026-03-01": 60, "2026-03-02": 60}, "2026-04-01T10:00", "merged")

    assert [each[1:3] for each in told(found)] == [("silver", "merged")]


def test_a_clock_that_lags_grades_nothing_twice() -> None:
    policy = scheme(downgrade="one_step")
    gold = standing_after({"2026-03-01": 600}, "2026-03-01T10:00", policy)
    stepped = graded(gold, {"2026-03-01": 600}, "2028-01-01T10:00", "time", policy).standing

    again = graded(stepped, {"2026-03-01": 600}, "2027-12-31T22:59", "time", policy)

    assert (again.standing, again.changes) == (stepped, ())


def test_nobody_is_graded_before_there_is_a_scheme() -> None:
    assert grade(None, collected({}), TierSchemeHistory([scheme()]), at("2019-06-01"), "collected") is None
