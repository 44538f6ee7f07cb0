"""Whether points may leave: each rule alone, the heaviest of them, and what does not matter."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fraud.domain.spending.asks import Ask, AskKind, EarlierAsk, Place, Verdict
from services.fraud.domain.spending.decide import decide_spend
from services.fraud.domain.spending.rule_set import ACTIVE_SPEND_RULE_SET, SpendRuleSet
from services.fraud.domain.spending.rules.spend_amount import SpendAmount
from services.fraud.domain.spending.rules.till_hop import TillHop
from services.fraud.domain.spending.rules.vel_burn import VelBurn
from tests.support.fraud import member

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
GROCER = Place("grocer", "s1")


def ask(points: int = 100, place: Place = GROCER, kind: AskKind = "hold") -> Ask:
    return Ask(UUID(int=1), kind, member(1), "points", points, place)


def earlier(minutes: float, points: int = 100, place: Place = GROCER) -> EarlierAsk:
    return EarlierAsk(points, place, NOON - timedelta(minutes=minutes))


def verdict(one: Ask, *before: EarlierAsk, rule_set: SpendRuleSet = ACTIVE_SPEND_RULE_SET) -> tuple[Verdict, list[str]]:
    decision = decide_spend(one, before, NOON, rule_set)
    return decision.verdict, list(decision.rule_codes)


def test_the_active_rule_set_is_what_was_published_as_its_version() -> None:
    """Whoever changes a parameter raises the version: this digest belongs to version 3 for ever."""
    assert (ACTIVE_SPEND_RULE_SET.version, ACTIVE_SPEND_RULE_SET.digest) == (
        3,
        "af3450b2224ea7bf527d8d007ac175eda72a833ebc2f1558dc852a529a8cf652",
    )
    assert SpendRuleSet.model_validate_json(ACTIVE_SPEND_RULE_SET.to_json()) == ACTIVE_SPEND_RULE_SET


@pytest.mark.parametrize(
    ("one", "before", "expected"),
    [
        (ask(), (), (Verdict.ALLOW, [])),
        (ask(19_999), (), (Verdict.ALLOW, [])),
        (ask(20_000), (), (Verdict.STEP_UP, ["SPEND_AMOUNT"])),
        (ask(15_000), (earlier(60, 18_000), earlier(70, 17_000)), (Verdict.STEP_UP, ["SPEND_AMOUNT"])),
        (ask(), [earlier(90 * i) for i in range(1, 3)], (Verdict.ALLOW, [])),
        (ask(), [earlier(90 * i) for i in range(1, 4)], (Verdict.STEP_UP, ["VEL_BURN"])),
        (ask(), [earlier(60 * i) for i in range(1, 20)], (Verdict.DENY, ["VEL_BURN"])),
        (ask(), (earlier(9, place=Place("grocer", "s2")),), (Verdict.ALLOW, [])),
        (
            ask(),
            (earlier(9, place=Place("grocer", "s2")), earlier(59, place=Place("fuel"))),
            (Verdict.STEP_UP, ["TILL_HOP"]),
        ),
        (ask(), (earlier(9, place=Place("grocer", "s2")), earlier(60, place=Place("fuel"))), (Verdict.ALLOW, [])),
        (ask(place=Place(), kind="gift"), (earlier(1), earlier(2, place=Place("fuel"))), (Verdict.ALLOW, [])),
        (ask(), [earlier(60 * 24 + i) for i in range(9)], (Verdict.ALLOW, [])),  # a day is over
    ],
)
def test_a_verdict(one: Ask, before: list[EarlierAsk], expected: tuple[Verdict, list[str]]) -> None:
    assert verdict(one, *before) == expected


def test_the_heaviest_rule_decides_and_names_itself_alone() -> None:
    strict = SpendRuleSet(version=9, rules=(SpendAmount(deny_points=50), VelBurn(step_up_asks=1), TillHop()))
    decision = decide_spend(ask(), [], NOON, strict)
    assert (decision.verdict, decision.rule_codes) == (Verdict.DENY, ("SPEND_AMOUNT",))
    assert [(one.rule_code, one.verdict, one.observed) for one in decision.outcomes] == [
        ("SPEND_AMOUNT", "deny", (100, 100)),
        ("VEL_BURN", "step_up", (1,)),
        ("TILL_HOP", "allow", (1,)),
    ]


minutes = st.floats(min_value=-2_000, max_value=3_000)
histories = st.lists(st.builds(earlier, minutes, st.integers(1, 30_000), st.builds(Place, st.sampled_from("ab"))))


@given(histories, st.randoms(use_true_random=False))
def test_order_and_what_is_out_of_the_window_do_not_matter_and_more_asks_never_lighten(
    history: list[EarlierAsk], chance: st.DataObject
) -> None:
    decision = decide_spend(ask(), history, NOON, ACTIVE_SPEND_RULE_SET)
    shuffled = sorted(history, key=lambda _: chance.random())  # type: ignore[attr-defined]
    in_day = [one for one in shuffled if NOON - timedelta(hours=24) < one.asked_at <= NOON]
    assert decide_spend(ask(), in_day, NOON, ACTIVE_SPEND_RULE_SET) == decision
    weights = list(Verdict)
    fewer = decide_spend(ask(), in_day[1:], NOON, ACTIVE_SPEND_RULE_SET)
    assert weights.index(fewer.verdict) <= weights.index(decision.verdict)
