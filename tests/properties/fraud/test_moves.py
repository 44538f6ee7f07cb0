"""What must hold of receipts that change their member, whatever else is in the windows."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.fraud.domain.member_state import MemberState
from services.fraud.domain.moves import Departure, follow
from services.fraud.domain.receipts import Receipt, ReceiptFact
from services.fraud.domain.rule_set import ACTIVE_RULE_SET
from tests.properties.fraud.test_streams import streams
from tests.support.fraud import member, play


def _kept(states: dict[UUID, MemberState]) -> dict[UUID, list[tuple[object, ...]]]:
    """Windows without what was found about their receipts."""
    return {one: [receipt[:9] for receipt in state.receipts] for one, state in states.items() if state.receipts}


def _moved(stream: list[ReceiptFact], chosen: set[int], to_id: UUID) -> list[Departure]:
    return [
        Departure(one.receipt.receipt_key, one.member_id, to_id, 1)
        for number, one in enumerate(stream)
        if number in chosen and one.member_id != to_id
    ]


@given(streams(), st.sets(st.integers(0, 39)))
@settings(max_examples=50)
def test_windows_become_what_they_would_be_had_the_receipts_always_been_the_other_members(
    stream: list[ReceiptFact], chosen: set[int]
) -> None:
    to_id = member(3)
    states, _ = play(stream)
    departures = _moved(stream, chosen, to_id)
    after, effects = follow(departures, states | {to_id: MemberState()}, (), ACTIVE_RULE_SET)

    moved = {each.receipt_key for each in departures}
    right = [one._replace(member_id=to_id) if one.receipt.receipt_key in moved else one for one in stream]
    expected, expected_effects = play(right)
    assert _kept(after) == _kept(expected)
    assert [decision.receipt_key for decision in effects.decisions] == [each.receipt_key for each in departures]
    raised = {(one.receipt.receipt_key, one.rule_code) for one in effects.signals}
    shown = {(one.receipt.receipt_key, one.rule_code) for one in expected_effects.signals if one.member_id == to_id}
    assert shown == raised, "nobody else's receipts were there before: it is as if they came in this order"


@given(streams(), st.sets(st.integers(0, 39)))
@settings(max_examples=30)
def test_what_was_found_before_stands_and_whoever_was_erased_gets_nothing(
    stream: list[ReceiptFact], chosen: set[int]
) -> None:
    to_id = member(3)
    states, _ = play(stream)
    departures = _moved(stream, chosen, to_id)
    after, effects = follow(departures, states | {to_id: MemberState()}, {to_id}, ACTIVE_RULE_SET)
    assert not effects.decisions
    assert not after[to_id].receipts

    def left(of: dict[UUID, MemberState]) -> set[Receipt]:
        gone = {each.receipt_key for each in departures}
        return {receipt for state in of.values() for receipt in state.receipts if receipt.receipt_key not in gone}

    assert left(after) == left(states)
    assert {one: state.open_cases for one, state in after.items() if one != to_id} == {
        one: state.open_cases for one, state in states.items()
    }
