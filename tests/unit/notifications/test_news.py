"""Which events are news to their member, and what a message makes of them."""

from datetime import date, timedelta
from itertools import permutations
from typing import Any, get_args
from uuid import UUID

import pytest

from services.notifications.domain.news import (
    KINDS,
    LINES_MAX,
    NEWS,
    TEMPLATE,
    TEMPLATE_VERSION,
    Fact,
    fold_news,
    news_of,
)
from services.notifications.rendering import Templates
from shared.events.points import PointsEarned, PointsEvent, ReceiptRefused
from shared.point_types import OtherPointType, PointTypes
from tests.support.notifications import NOON, happened

ADA = UUID(int=1)
MILES = OtherPointType(code="miles", use="spend", exponent=2)
TYPES = PointTypes("points", 0, (MILES, OtherPointType(code="status")))
LAST_DAY = date(2026, 11, 30)
HOUR = timedelta(hours=1)


def fact(kind: str, **said: Any) -> Fact | None:
    news = news_of(happened(kind, ADA, **said), TYPES)
    return None if news is None else news.fact


def test_every_event_of_points_is_news_or_is_said_not_to_be() -> None:
    events = set(get_args(get_args(PointsEvent)[0]))
    assert events - NEWS.keys() == {PointsEarned, ReceiptRefused}  # a digest tells the one, nobody the other


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("tier", {"new_tier": "gold"}, Fact("tier", name="gold")),
        ("expiring", {"points": 30, "expires_on": date(2026, 12, 1)}, Fact("expiring", 30, last_day=LAST_DAY)),
        ("expired", {"points": 30}, Fact("expired", 30)),
        ("lapsed", {"points": 30}, Fact("lapsed", 30)),
        ("pending", {"points": 30}, Fact("set_aside", 30)),
        ("released", {"points": 30}, Fact("released", 30)),
        ("adjusted", {"points": 30}, Fact("given", 30)),
        ("adjusted", {"points": -30}, Fact("taken", 30)),
        ("clawed_back", {"points": 30, "became_debt": 12}, Fact("owed", 12)),
        ("exchanged", {"became_debt": 12}, Fact("owed", 12)),
        ("exchanged", {}, None),
        ("reinstated", {"points": 30}, Fact("given_back", 30)),
        ("written_off", {"points": 30}, Fact("forgiven", 30)),
        ("moved", {"points": 30, "direction": "to"}, Fact("moved_here", 30)),
        ("moved", {"points": 30, "direction": "from"}, Fact("moved_away", 30)),
        ("recorded", {"points": 30, "type_code": "survey"}, Fact("event", 30, "survey")),
        ("revoked", {"points": 30, "type_code": "survey"}, Fact("event_undone", 30, "survey")),
        ("clawed_back", {"points": 30, "became_debt": 0}, None),
        ("clawed_back", {"points": 30, "became_debt": 12, "cause": "correction"}, Fact("corrected_less", 30)),
        ("earned", {"points": 30, "original_receipt_id": "receipt"}, Fact("corrected_more", 30)),
        ("earned", {"points": 30}, None),
        ("recorded", {"points": 0}, None),
        ("pending", {"points": 0}, None),
        ("adjusted", {"points": 30, "point_type": "status"}, None),
        ("adjusted", {"points": 30, "point_type": "miles"}, Fact("given", 30, point_type="miles")),
        (
            "expiring",
            {"points": 30, "point_type": "miles", "expires_on": date(2026, 12, 1)},
            Fact("expiring", 30, last_day=LAST_DAY, point_type="miles"),
        ),
    ],
)
def test_what_an_event_is_to_its_member(kind: str, said: dict[str, Any], expected: Fact | None) -> None:
    assert fact(kind, **said) == expected


def test_what_is_alike_is_one_line_whatever_the_order_in_which_it_was_heard() -> None:
    told = [
        (NOON, Fact("released", 10)),
        (NOON + HOUR, Fact("released", 5)),
        (NOON, Fact("tier", name="silver")),
        (NOON + HOUR, Fact("tier", name="gold")),
        (NOON, Fact("expiring", 30, last_day=LAST_DAY)),
        (NOON + HOUR, Fact("expiring", 20, last_day=LAST_DAY)),
    ]
    folded = {fold_news(order) for order in permutations(told)}
    assert [one.lines for one in folded] == [
        (Fact("tier", name="gold"), Fact("expiring", 20, last_day=LAST_DAY), Fact("released", 15))
    ]


def test_points_of_another_type_are_lines_of_their_own_with_their_decimals_and_their_name() -> None:
    told = [
        (NOON, Fact("expiring", 30, last_day=LAST_DAY)),
        (NOON, Fact("expiring", 1_250, last_day=LAST_DAY, point_type="miles")),
        (NOON, Fact("released", 1)),
        (NOON, Fact("released", 100, point_type="miles")),
    ]
    (news,) = {fold_news(order) for order in permutations(told)}
    assert [(line.kind, line.point_type) for line in news.lines] == [
        ("expiring", None),
        ("expiring", "miles"),
        ("released", None),
        ("released", "miles"),
    ]
    for language, words in (("en", ("30 points", "1 point")), ("es", ("30 puntos", "1 punto"))):
        text = Templates(types=TYPES).render_news(TEMPLATE, TEMPLATE_VERSION, language, "Ada", news)
        for body in (text.text, text.html):
            assert all(said in body for said in (*words, "12.50 miles", "1.00 miles"))
    alone = Templates(types=TYPES).render_news(TEMPLATE, TEMPLATE_VERSION, "en", "Ada", fold_news(told[1:2]))
    assert alone.subject == f"12.50 miles can be spent until {LAST_DAY}"


def test_many_lines_are_cut_and_the_urgent_ones_stay() -> None:
    told = [(NOON, Fact("event", 1, f"survey-{number}")) for number in range(40)] + [(NOON, Fact("owed", 5))]
    lines = fold_news(told).lines
    assert (len(lines), lines[0]) == (LINES_MAX, Fact("owed", 5))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_in_each_language(kind: Any, language: str) -> None:
    line = Fact(kind, 1_250, "profile-filled", LAST_DAY)
    text = Templates().render_news(TEMPLATE, TEMPLATE_VERSION, language, "Ada", fold_news([(NOON, line)]))

    assert text.language == language
    assert "\n" not in text.subject
    for body in (text.text, text.html):
        assert "Ada" in body
        assert ("1,250" in body) is (kind != "tier")
        assert ("profile filled" in body) is (kind in ("event", "event_undone"))
        assert (str(LAST_DAY) in body) is (kind == "expiring")
    assert text.text.count("\n- ") == text.html.count("<li>") == 1


def test_a_message_about_one_thing_says_it_in_its_subject() -> None:
    def subject(*facts: Fact) -> str:
        news = fold_news((NOON, one) for one in facts)
        return Templates().render_news(TEMPLATE, TEMPLATE_VERSION, "en", "Ada", news).subject

    assert subject(Fact("tier", name="gold")) == "Your tier is now gold"
    assert subject(Fact("expiring", 1, last_day=LAST_DAY)) == "1 point can be spent until 2026-11-30"
    assert subject(Fact("event", 50, "survey")) == "50 points for you"
    assert subject(Fact("owed", 5)) == subject(Fact("tier", name="gold"), Fact("given", 5)) == "News of your points"


def test_names_cannot_break_out_of_the_html() -> None:
    news = fold_news([(NOON, Fact("tier", name="<b>gold</b>"))])
    text = Templates().render_news(TEMPLATE, TEMPLATE_VERSION, "en", "<img>", news)
    assert "<b>gold" not in text.html
    assert "<img>" not in text.html
