"""In whatever order statements arrive, the same holds in the end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.members.domain.consents import Consent, ConsentKey, Statement, in_effect, outcome_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = ConsentKey(UUID(int=1), "marketing", "sms", "acme")


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    at = NOON + timedelta(hours=draw(st.integers(0, 5)))
    text = draw(st.sampled_from(("v1", "v2")))
    return Statement(UUID(int=7), KEY, draw(st.booleans()), text, "en", "web", None, at, at, "programme")


def holds_after(history: list[Statement]) -> Consent | None:
    present: Consent | None = None
    for statement in history:
        if outcome_of(statement, present, None) == "in_effect":
            present = in_effect(statement, present)
    return present


@given(
    st.lists(statements(), min_size=1, max_size=8).flatmap(lambda told: st.tuples(st.just(told), st.permutations(told)))
)
def test_any_order_of_arrival_leaves_the_same_consent(orders: tuple[list[Statement], list[Statement]]) -> None:
    first, second = map(holds_after, orders)
    assert first is not None
    assert second is not None
    assert first.statement == second.statement
    assert first.statement == max(orders[0], key=lambda each: each.precedence)


@given(st.lists(statements(), min_size=1, max_size=8))
def test_what_arrives_twice_changes_nothing_more(told: list[Statement]) -> None:
    assert holds_after(told + told) == holds_after(told)
