"""Points that leave soon after an identifier was changed: the edges of the window and of the amount."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fraud.domain.spending.asks import Ask, EarlierAsk, Place, Verdict
from services.fraud.domain.spending.decide import SpendOutcome, decide_spend
from services.fraud.domain.spending.rule_set import ACTIVE_SPEND_RULE_SET, SpendRuleSet
from services.fraud.domain.spending.rules.identifier_changed import IdentifierChanged
from services.fraud.domain.spending.rules.spend_amount import SpendAmount
from services.fraud.domain.spending.rules.till_hop import TillHop
from services.fraud.domain.spending.rules.vel_burn import VelBurn
from tests.support.fraud import member

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
TWO_DAYS = timedelta(hours=48)
FIRST = SpendRuleSet(version=1, rules=(SpendAmount(), VelBurn(), TillHop()))
SECOND = SpendRuleSet(version=2, rules=(*FIRST.rules, IdentifierChanged()))


def judged(
    points: int,
    changed_at: datetime | None,
    *before: EarlierAsk,
    rule_set: SpendRuleSet = ACTIVE_SPEND_RULE_SET,
) -> tuple[Verdict, tuple[str, ...], int]:
    """The verdict, who asked for it, and the figure of the rule."""
    ask = Ask(UUID(int=1), "gift", member(1), "points", points)
    decision = decide_spend(ask, before, NOON, rule_set, changed_at)
    [own] = [outcome for outcome in decision.outcomes if outcome.rule_code == "IDENTIFIER_CHANGED"]
    return decision.verdict, decision.rule_codes, own.observed[0]


@pytest.mark.parametrize(
    ("points", "ago", "figure"),
    [
        (1_000, timedelta(), 1_000),
        (1_000, TWO_DAYS - INSTANT, 1_000),
        (1_000, TWO_DAYS, 0),
        (999, timedelta(hours=1), 999),
        (19_999, None, 0),
        (19_999, -INSTANT, 0),  # changed after the points had left: it is scored as of then
    ],
)
def test_the_edges_of_window_and_amount(points: int, ago: timedelta | None, figure: int) -> None:
    verdict, codes, observed = judged(points, None if ago is None else NOON - ago)
    assert observed == figure
    unusual = (Verdict.STEP_UP, ("IDENTIFIER_CHANGED",))
    assert (verdict, codes) == (unusual if figure >= 1_000 else (Verdict.ALLOW, ()))


def test_what_was_asked_for_since_the_change_counts_with_it_and_what_was_before_does_not() -> None:
    changed_at = NOON - timedelta(hours=2)
    since = EarlierAsk(400, Place(), changed_at)
    before = EarlierAsk(9_000, Place(), changed_at - INSTANT)
    assert judged(599, changed_at, since, before) == (Verdict.ALLOW, (), 999)
    assert judged(600, changed_at, since, before) == (Verdict.STEP_UP, ("IDENTIFIER_CHANGED",), 1_000)


def test_a_worked_example_of_another_e_mail_address() -> None:
    """The address is changed at 8; at 9 and at noon 600 points are wanted: 600 are let go, 1,200 are confirmed first. A
    card that is added at 11 is the later change: of what was asked for before it nothing counts.
    """
    ask = Ask(UUID(int=1), "hold", member(1), "points", 600)
    nine = EarlierAsk(600, Place(), NOON - timedelta(hours=3))
    eight, eleven = NOON - timedelta(hours=4), NOON - timedelta(hours=1)

    def decided(identifier_at: datetime | None, rule_set: SpendRuleSet = ACTIVE_SPEND_RULE_SET) -> tuple[str, ...]:
        return decide_spend(ask, [nine], NOON, rule_set, identifier_at, eight).rule_codes

    assert decide_spend(ask, [], nine.asked_at, ACTIVE_SPEND_RULE_SET, None, eight).verdict is Verdict.ALLOW
    assert decided(None) == ("IDENTIFIER_CHANGED",)
    assert decided(eleven) == ()
    assert decided(NOON + INSTANT) == ("IDENTIFIER_CHANGED",), "what is changed later hides nothing"
    assert decided(None, SECOND) == (), "the version of before looks at identifiers alone"


def test_the_second_version_is_stored_as_it_was() -> None:
    assert SECOND.digest == "d8cf8596a68c7d64416f0c1bb3fb28037c178e3f77469fa1353139d9cf7fed23"
    assert SpendRuleSet.model_validate_json(SECOND.to_json()) == SECOND


def test_hours_and_amounts_are_the_rule_sets_data() -> None:
    strict = SpendRuleSet(version=9, rules=(IdentifierChanged(window_hours=1, step_up_points=5, deny_points=50),))
    hour = NOON - timedelta(hours=1)
    assert [judged(points, hour + INSTANT, rule_set=strict)[0] for points in (4, 5, 50)] == list(Verdict)
    assert judged(50, hour, rule_set=strict)[0] is Verdict.ALLOW
    assert SpendRuleSet.model_validate_json(strict.to_json()) == strict
    assert strict.rules[0].reason() == "a card, phone or app link was added or replaced within the 1 hours before"


def test_the_first_version_is_read_and_decides_as_it_always_did() -> None:
    assert FIRST.digest == "eb97fd7febf623a9bf3d846cad3858bdb7d57cbbb5058c3ba024be5e8407ee99"
    stored = SpendRuleSet.model_validate_json(FIRST.to_json())
    assert stored == FIRST
    ask = Ask(UUID(int=1), "hold", member(1), "points", 5_000)
    decision = decide_spend(ask, [], NOON, stored, NOON)
    assert decision.verdict is Verdict.ALLOW
    assert SpendOutcome("VEL_BURN", Verdict.ALLOW, (1,)) in decision.outcomes


@given(st.integers(1, 30_000), st.timedeltas(timedelta(hours=-9), timedelta(hours=99)))
def test_a_change_adds_its_own_reason_and_changes_no_other_figure(points: int, ago: timedelta) -> None:
    ask = Ask(UUID(int=1), "hold", member(1), "points", points)
    without = decide_spend(ask, [], NOON, ACTIVE_SPEND_RULE_SET)
    changed = decide_spend(ask, [], NOON, ACTIVE_SPEND_RULE_SET, NOON - ago)
    assert changed.outcomes[:3] == without.outcomes[:3]
    is_new = timedelta() <= ago < TWO_DAYS and points >= 1_000
    assert ("IDENTIFIER_CHANGED" in changed.rule_codes) == is_new
    assert is_new or changed.verdict is without.verdict
