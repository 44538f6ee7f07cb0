"""What must hold for every stream of receipts, however it comes."""

from collections import defaultdict
from datetime import timedelta
from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.fraud.domain.outcomes import Effects
from services.fraud.domain.receipts import ReceiptFact
from tests.support.fraud import ANNA, BERT, MORNING, fact, final_decisions, play, receipt

# Few of each and mostly the same, so that windows fill and rules hit; 36 days, so that nothing is forgotten meanwhile.
_PLACES = st.tuples(
    st.sampled_from([1, 1, 2]),
    st.sampled_from([ANNA, ANNA, ANNA, ANNA, BERT, None]),
    st.sampled_from([("s1", True), ("s1", True), ("s2", False), ("s3", None)]),
    st.sampled_from([1, 1, 1, None]),
    st.sampled_from([0, 0, 6, 12, 30, 36]),
    st.integers(0, 5),
    st.booleans(),
    st.sampled_from([None, None, 0, 9]),
)


@st.composite
def streams(draw: st.DrawFn) -> list[ReceiptFact]:
    """Receipts in any order of event time, each once."""
    return [
        fact(
            receipt(
                number,
                by=by,
                at=MORNING + timedelta(days=day, hours=hour),
                store=store,
                shift=shift,
                had_choice=had_choice,
                is_own_card=is_own_card and by is not None,
                claimed_after_days=claimed,
            ),
            member_number,
        )
        for number, (member_number, by, (store, had_choice), shift, day, hour, is_own_card, claimed) in enumerate(
            draw(st.lists(_PLACES, max_size=40))
        )
    ]


def _cuts(data: st.DataObject, length: int) -> list[int]:
    return sorted(data.draw(st.lists(st.integers(0, length), max_size=6), label="cuts"))


def _raised(effects: Effects) -> set[tuple[bytes, str]]:
    return {(signal.receipt.receipt_key, signal.rule_code) for signal in effects.signals}


def _held(effects: Effects) -> list[bytes]:
    return [hold.receipt.receipt_key for hold in effects.holds]


@given(streams(), st.data())
def test_any_splitting_into_batches_leaves_the_same_signals_decisions_and_windows(
    stream: list[ReceiptFact], data: st.DataObject
) -> None:
    assert play(stream, _cuts(data, len(stream))) == play(stream)


@given(streams(), st.data())
def test_any_replay_leaves_the_same_signals_decisions_and_windows(
    stream: list[ReceiptFact], data: st.DataObject
) -> None:
    begin, end = sorted(
        data.draw(st.tuples(st.integers(0, len(stream)), st.integers(0, len(stream))), label="replayed")
    )
    replayed = [*stream[:end], *stream[begin:end], *stream[end:], *stream[:end]]
    assert play(replayed, _cuts(data, len(replayed))) == play(stream)


@given(streams(), st.randoms(use_true_random=False))
def test_reordering_the_receipts_of_different_members_changes_nothing(
    stream: list[ReceiptFact], chance: Random
) -> None:
    by_member: dict[UUID, list[ReceiptFact]] = defaultdict(list)
    for one in stream:
        by_member[one.member_id].append(one)
    turns = [one.member_id for one in stream]
    chance.shuffle(turns)
    queues = {member_id: iter(facts) for member_id, facts in by_member.items()}
    reordered = [next(queues[member_id]) for member_id in turns]
    states, effects = play(reordered)
    expected_states, expected = play(stream)
    assert states == expected_states
    assert final_decisions(effects) == final_decisions(expected)
    for kind in ("cases", "signals", "holds"):
        assert sorted(map(repr, getattr(effects, kind))) == sorted(map(repr, getattr(expected, kind)))


@given(streams(), st.randoms(use_true_random=False))
def test_no_order_of_arrival_hides_what_the_right_order_would_have_shown(
    stream: list[ReceiptFact], chance: Random
) -> None:
    _, in_order = play(sorted(stream, key=lambda one: one.receipt))
    arrived = list(stream)
    chance.shuffle(arrived)
    _, shuffled = play(arrived)
    assert _raised(in_order) <= _raised(shuffled)
    assert set(_held(in_order)) <= set(_held(shuffled))
    in_a_day = {receipt_key for receipt_key, rule in _raised(in_order) if rule == "VEL_EARN"}
    assert {receipt_key for receipt_key, rule in _raised(shuffled) if rule == "VEL_EARN"} == in_a_day


@given(streams())
@settings(max_examples=50)
def test_a_receipt_is_decided_once_held_at_most_once_and_signalled_at_most_once_a_rule(
    stream: list[ReceiptFact],
) -> None:
    _, effects = play(stream)
    assert [decision.receipt_key for decision in effects.decisions] == [one.receipt.receipt_key for one in stream]
    held = _held(effects)
    assert len(held) == len(set(held))
    assert len(effects.signals) == len(_raised(effects))
    opened = {(case.opened_by, case.rule_code) for case in effects.cases}
    assert {(hold.opened_by, hold.rule_code) for hold in effects.holds} <= opened
    assert {opened_by for opened_by, _ in opened} <= set(held)  # by this case, or by one that was open before it
