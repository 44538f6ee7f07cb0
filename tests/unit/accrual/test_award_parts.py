"""What awards are made of: whose lot, what it waits for, and how long it lasts, by worked days."""

from datetime import date

import pytest

from services.accrual.domain.award_parts import (
    EarnedPart,
    KnownPart,
    award_of_part,
    earned_parts,
    released_terms,
    take_back,
)
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rules.expiry import RollingExpiry, read_expiry, write_expiry
from services.accrual.domain.rules.pending import PendingDays, PendingEvent, PendingUntilDate, Wait, wait_of
from shared.ledger import LotTerms
from tests.support.earning_in_parts import STATUS, rule, rule_set
from tests.support.receipts import purchase

DAY = date(2026, 1, 31)
EVENT = {"kind": "event", "event": "delivered", "days_max": 30, "at_last": "lapse"}
MONTH = {"kind": "rolling", "months": 1}


def parts(*rules: dict[str, object], earned_on: date = DAY, **more: object) -> tuple[EarnedPart, ...]:
    return earned_parts(evaluate_purchase(purchase(1, 1_000).data, rule_set(*rules, **more)), earned_on)


@pytest.mark.parametrize(
    ("policy", "wait"),
    [
        (None, None),
        (PendingDays(days=14), Wait(date(2026, 2, 14))),
        (PendingDays(days=29), Wait(date(2026, 3, 1))),  # no 29 February in that year
        (PendingUntilDate(until=date(2026, 2, 1)), Wait(date(2026, 2, 1))),
        (PendingUntilDate(until=DAY), None),  # it may be spent on that day
        # Its last day is the third one after the receipt's, to its last second.
        (PendingEvent(event="delivered", days_max=3, at_last="lapse"), Wait(date(2026, 2, 4), "delivered", True)),
        (PendingEvent(event="delivered", days_max=3, at_last="release"), Wait(date(2026, 2, 4), "delivered", False)),
    ],
)
def test_what_points_wait_for(policy: PendingDays | None, wait: Wait | None) -> None:
    assert wait_of(policy, DAY) == wait


def test_one_lot_that_waits_for_nothing_has_no_parts() -> None:
    assert parts(rule("base"), rule("more"), expires_after_days=730) == ()
    assert parts(rule("base"), rule("status", STATUS, condition={"partners": ["fuel"]})) == ()
    assert parts(rule("base", pending={"kind": "date", "until": "2026-01-31"})) == ()  # its day has come
    assert parts(rule("base", pending_days=0), pending_days=0) == ()


@pytest.mark.parametrize(
    ("counts_from", "expires_on"),
    [
        ("earning", date(2026, 3, 1)),  # of the month in which it was earned: through February, which has no 31st
        ("release", date(2026, 3, 14)),  # a month from the 14th on
    ],
)
def test_how_long_points_last_that_wait(counts_from: str, expires_on: date) -> None:
    [part] = parts(rule("base"), pending_days=14, expiry=MONTH, expiry_counts_from=counts_from)

    assert part.key.terms == LotTerms("grocer", date(2026, 2, 14), expires_on)
    assert (part.points, part.by_rule, part.expiry) == (10, (("base", 10),), None)


def test_what_would_be_over_before_it_is_free_may_be_spent_for_a_day() -> None:
    [part] = parts(rule("base"), pending_days=60, expires_after_days=30)
    assert part.key.terms == LotTerms("grocer", date(2026, 4, 1), date(2026, 4, 2))


def test_what_an_event_releases_lasts_from_then_or_from_the_receipt() -> None:
    [waits] = parts(rule("base", pending=EVENT), expiry=MONTH, expiry_counts_from="release")
    assert (waits.key.terms, waits.expiry) == (LotTerms("grocer", DAY, None), RollingExpiry(months=1))
    told_on = date(2026, 2, 20)
    assert released_terms(waits.key.terms, told_on, waits.expiry) == LotTerms("grocer", told_on, date(2026, 3, 20))
    assert waits.expiry is not None
    assert read_expiry(write_expiry(waits.expiry)) == waits.expiry

    [counted] = parts(rule("base", pending=EVENT), expiry=MONTH)
    assert (counted.key.terms, counted.expiry) == (LotTerms("grocer", DAY, date(2026, 3, 1)), None)
    assert released_terms(counted.key.terms, told_on, None) == LotTerms("grocer", told_on, date(2026, 3, 1))
    late = date(2026, 3, 2)
    assert released_terms(counted.key.terms, late, None) == LotTerms("grocer", late, date(2026, 3, 3))


def test_rules_on_the_same_terms_are_one_part_however_they_say_it() -> None:
    found = parts(
        rule("base"),
        rule("status", STATUS),
        rule("short", expires_after_days=365),
        rule("long", expiry={"kind": "rolling", "days": 365}),
        rule("promo", pending_days=1, expires_after_days=30),
        expires_after_days=365,
    )

    assert [(part.number, part.key.point_type, part.points, [name for name, _ in part.by_rule]) for part in found] == [
        (0, None, 30, ["base", "short", "long"]),
        (1, "status", 20, ["status"]),
        (2, None, 10, ["promo"]),
    ]


def test_a_date_that_has_come_puts_points_with_those_that_do_not_wait() -> None:
    said = rule("base"), rule("later", pending={"kind": "date", "until": "2026-02-01"})
    assert [part.points for part in parts(*said)] == [10, 10]
    assert parts(*said, earned_on=date(2026, 2, 1)) == ()


def test_where_one_part_has_become_more_less_is_taken_of_those_that_waited_first_and_then_of_the_last() -> None:
    """Each of three is worth 6 less, and what another rule would give 8 more: 10 are taken, what waited first."""
    first, waited, last, more = parts(
        rule("promo", pending_days=14),
        rule("base"),
        rule("short", expires_after_days=30),
        rule("long", expires_after_days=60),
    )
    given = tuple(KnownPart(part.number, part.key, 10, 0) for part in (first, waited, last))
    kept = {waited.key: 4, first.key: 4, last.key: 4, more.key: 8}

    assert [(one.number, one.points) for one in take_back(given, kept)] == [(waited.number, 6), (last.number, 4)]
    assert (first.number, waited.number, last.number) == (0, 1, 2)


def test_what_the_ledger_calls_a_part_never_changes() -> None:
    assert award_of_part(b"receipt", 0) == b"receipt"
    assert award_of_part(b"receipt", 1).hex() == "4d8c8003bb0086cf0b522ad481e9b692fe6e63f9832b5520b6bda15c34cff5ed"
    assert len({award_of_part(b"x" * 512, number) for number in range(200)}) == 200
    assert max(len(award_of_part(b"x" * 512, number)) for number in range(200)) == 512
