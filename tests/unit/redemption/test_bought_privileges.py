"""Which receipts entitle to a privilege, and what returns leave of that."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from services.redemption.domain.privileges.bought import KNOWN_AFTER, bought_of, entitles, may_entitle
from services.redemption.domain.privileges.life import Privilege, approved, ended, proposed
from services.redemption.domain.privileges.terms import ForPurchase, partners_named
from tests.support.privileges import terms
from tests.support.receipts import NOON, line, purchase

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def kind(**others: Any) -> dict[str, Any]:
    return {"kind": "purchase", "partners": ["grocer"], "categories": ["BREAD"], "days": 7} | others


def privilege(*, since: datetime = LONG_AGO, last_day: str | None = None, **others: Any) -> Privilege:
    said = terms("loaf", entitlement=kind(**others), last_day=last_day)
    return approved(proposed(said, "alice", since), "bob", since)


def days_of(one: Privilege, counts_as: Mapping[str, frozenset[str]] | None = None, **others: Any) -> list[date]:
    said = {"occurred_at": NOON} | others
    sold = purchase(1, said.pop("lines", [line(1, 500, "BREAD", 2_000)]), **said)
    return [bought.last_day for bought in bought_of(sold, [one], counts_as or {}, UTC)]


@pytest.mark.parametrize(
    ("asked", "is_entitled"),
    [
        ({}, True),
        ({"units_min": 2}, True),
        ({"units_min": 3}, False),
        ({"amount_min_minor": 500}, True),
        ({"amount_min_minor": 501}, False),
        ({"categories": ["MILK"]}, False),
        ({"categories": ["MILK"], "skus": ["sku-1"]}, True),
        ({"partners": ["fuel"]}, False),
    ],
)
def test_goods_of_the_named_partner_entitle_from_the_threshold_on(asked: dict[str, Any], is_entitled: bool) -> None:
    assert days_of(privilege(**asked)) == ([date(2026, 11, 8)] if is_entitled else [])


def test_lines_count_together_as_the_programme_calls_them() -> None:
    lines = [line(1, 300, "BRD", 1_000), line(2, 200, "BREAD", 1_000), line(3, 900, "MILK")]
    one = privilege(units_min=2, amount_min_minor=500)
    assert days_of(one, lines=lines) == []
    assert days_of(one, {"BRD": frozenset({"FOOD", "BREAD"})}, lines=lines) == [date(2026, 11, 8)]


def test_what_is_paid_ahead_counts_once_when_it_is_handed_over() -> None:
    assert days_of(privilege(), lines=[line(1, 500, "BREAD", settlement="prepayment")]) == []
    assert days_of(privilege(), lines=[line(1, 500, "BREAD", settlement="full")]) != []


def test_a_day_is_the_programmes_and_training_entitles_to_nothing() -> None:
    late = purchase(1, [line(1, 500, "BREAD")], occurred_at=NOON.replace(hour=23))
    [bought] = bought_of(late, [privilege(days=0)], {}, timezone(timedelta(hours=3)))
    assert bought.last_day == date(2026, 11, 2)
    assert may_entitle(late, [privilege()])
    assert not may_entitle(purchase(1, 500, is_training=True), [privilege()])
    assert not may_entitle(purchase(1, 500, partner_id="fuel"), [privilege()])


def test_receipts_entitle_once_every_worker_knows_of_it_and_while_it_is_given() -> None:
    assert days_of(privilege(since=NOON - KNOWN_AFTER)) != []
    assert days_of(privilege(since=NOON - KNOWN_AFTER + timedelta(seconds=1))) == []
    assert days_of(privilege(last_day="2026-10-31")) == []
    assert days_of(ended(privilege(), "bob", "over", NOON)) == []


def test_a_return_below_the_threshold_undoes_it() -> None:
    [bought] = bought_of(purchase(1, [line(1, 501, "BREAD", 2_000)], occurred_at=NOON), [privilege()], {}, UTC)
    two = ForPurchase(partners=("grocer",), categories=("BREAD",), units_min=2, days=7)
    money = ForPurchase(partners=("grocer",), categories=("BREAD",), amount_min_minor=250, days=7)
    assert entitles(bought, two, {})
    assert entitles(bought, two, {9: 1_000})
    assert not entitles(bought, two, {1: 1})
    assert entitles(bought, money, {1: 1_000})
    assert not entitles(bought, money, {1: 1_010})
    anything = ForPurchase(partners=("grocer",), categories=("BREAD",), days=7)
    assert not entitles(bought, anything, {1: 2_500})


@pytest.mark.parametrize("wrong", [{"categories": None}, {"skus": ["a"], "partners": ["grocer", "fuel"]}, {"days": -1}])
def test_terms_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        terms("loaf", entitlement=kind(**wrong))


def test_sellers_are_among_the_partners_that_must_exist() -> None:
    assert partners_named(terms("loaf", entitlement=kind(), partners=["fuel"])) == {"grocer", "fuel"}
