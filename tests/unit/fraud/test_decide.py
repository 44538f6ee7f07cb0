"""From receipts to signals, cases and holds."""

from datetime import timedelta

from services.fraud.domain.decide import decide
from services.fraud.domain.member_state import CASE_RECEIPTS_MAX, KEPT, RECEIPTS_KEPT_MAX, MemberState, OpenCase
from services.fraud.domain.outcomes import Action, Effects, Result
from services.fraud.domain.rule_set import ACTIVE_RULE_SET
from tests.support.fraud import BERT, MORNING, fact, final_decisions, member, operator, play, receipt, receipt_key


def _held(effects: Effects) -> list[bytes]:
    return [hold.receipt.receipt_key for hold in effects.holds]


def test_the_third_swipe_holds_all_three_once_and_opens_one_case() -> None:
    _, effects = play(fact(receipt(number)) for number in (1, 2, 3))
    assert [decision.action for decision in effects.decisions] == [Action.NONE, Action.NONE, Action.HOLD]
    assert _held(effects) == [receipt_key(number) for number in (1, 2, 3)]
    assert [(case.opened_by, case.operator_hash) for case in effects.cases] == [(receipt_key(3), operator("anna"))]
    (signal,) = effects.signals
    assert (signal.rule_code, signal.action, signal.observed, signal.threshold, signal.window) == (
        "INS_SWIPE",
        Action.HOLD,
        3,
        3,
        "shift",
    )


def test_later_receipts_of_the_pair_join_the_open_case_though_no_rule_hits() -> None:
    _, effects = play(
        [*(fact(receipt(number)) for number in (1, 2, 3)), fact(receipt(4, at=MORNING + timedelta(days=3)))]
    )
    assert len(effects.cases) == len(effects.signals) == 1
    assert _held(effects)[-1] == receipt_key(4)
    action, outcomes = final_decisions(effects)[receipt_key(4)]
    assert (action, outcomes["INS_SWIPE"][0]) == (Action.HOLD, Result.NO_HIT)


def test_another_cashiers_receipts_do_not_join() -> None:
    _, effects = play([*(fact(receipt(number)) for number in (1, 2, 3)), fact(receipt(4, by=BERT))])
    assert receipt_key(4) not in _held(effects)


def test_a_family_that_shops_six_times_a_day_is_flagged_and_nothing_is_held() -> None:
    cashiers = [f"cashier {number}" for number in range(6)]
    _, effects = play(fact(receipt(number, by=cashier)) for number, cashier in enumerate(cashiers))
    assert [(signal.rule_code, signal.action, signal.observed) for signal in effects.signals] == [
        ("VEL_EARN", Action.FLAG, 6)
    ]
    assert not effects.holds
    assert not effects.cases


def test_a_till_that_uploads_in_reverse_order_is_found_out_all_the_same() -> None:
    _, effects = play(fact(receipt(number)) for number in (3, 2, 1))
    assert [(signal.receipt.receipt_key, signal.caused_by) for signal in effects.signals] == [
        (receipt_key(3), receipt_key(1))
    ]
    assert sorted(_held(effects)) == [receipt_key(number) for number in (1, 2, 3)]
    assert final_decisions(effects)[receipt_key(3)][0] is Action.HOLD
    assert final_decisions(effects)[receipt_key(1)][0] is Action.HOLD  # it is held with the others


def test_a_case_that_opens_late_takes_in_the_pairs_receipts_since() -> None:
    since = receipt(9, at=MORNING + timedelta(days=1))
    _, effects = play([fact(receipt(1)), fact(receipt(2)), fact(since), fact(receipt(3))])
    assert since.receipt_key in _held(effects)


def test_an_earlier_hit_that_comes_late_takes_in_the_pairs_receipts_since_though_a_case_is_open() -> None:
    since = receipt(5, at=MORNING + timedelta(days=1))
    case = [fact(receipt(number, at=MORNING + timedelta(days=6, hours=number))) for number in (6, 7, 8)]
    _, effects = play([fact(receipt(1)), fact(receipt(2)), fact(since), *case, fact(receipt(3))])
    assert [signal.receipt.receipt_key for signal in effects.signals] == [receipt_key(8), receipt_key(3)]
    assert since.receipt_key in _held(effects)


def test_receipts_at_one_moment_are_ordered_by_their_key() -> None:
    same_moment = [receipt(number, at=MORNING) for number in (1, 2, 3)]
    forwards, _ = play(fact(one) for one in same_moment)
    backwards, _ = play(fact(one) for one in reversed(same_moment))
    keys = [one.receipt_key for one in forwards[member(1)].receipts]
    assert keys == [one.receipt_key for one in backwards[member(1)].receipts] == sorted(keys)


def test_receipts_that_a_person_cleared_lead_to_nothing_and_new_ones_do() -> None:
    cleared = tuple(
        receipt(number)._replace(fired=("INS_SWIPE",), is_held=True, is_cleared=True) for number in (1, 2, 3)
    )
    state, effects = decide(fact(receipt(4)), MemberState(cleared), ACTIVE_RULE_SET)
    assert not effects.signals
    state, _ = decide(fact(receipt(5)), state, ACTIVE_RULE_SET)
    state, effects = decide(fact(receipt(6)), state, ACTIVE_RULE_SET)
    assert _held(effects) == [receipt_key(number) for number in (4, 5, 6)]


def test_after_a_confirmed_case_the_next_swipe_opens_another_and_holds_only_what_is_new() -> None:
    confirmed = tuple(receipt(number)._replace(is_held=True) for number in (1, 2, 3))
    _, effects = decide(fact(receipt(4)), MemberState(confirmed), ACTIVE_RULE_SET)
    assert [case.opened_by for case in effects.cases] == [receipt_key(4)]
    assert _held(effects) == [receipt_key(4)]


def test_a_full_case_takes_no_more_and_the_next_hit_opens_another() -> None:
    receipts = tuple(receipt(number)._replace(is_held=True) for number in (1, 2))
    almost = OpenCase(receipt_key(1), operator("anna"), "INS_SWIPE", CASE_RECEIPTS_MAX - 1)
    state, effects = decide(fact(receipt(3)), MemberState(receipts, (almost,)), ACTIVE_RULE_SET)
    assert not effects.cases
    assert not state.open_cases
    _, effects = decide(fact(receipt(4)), state, ACTIVE_RULE_SET)
    assert [case.opened_by for case in effects.cases] == [receipt_key(4)]


def test_windows_are_bounded_by_event_time_and_by_number() -> None:
    old, new = receipt(1), receipt(2, at=MORNING + KEPT + timedelta(minutes=2))
    states, _ = play([fact(old), fact(new)])
    assert states[member(1)].receipts == (new,)
    busy, _ = play(
        fact(receipt(number, by=f"cashier {number}", at=MORNING + timedelta(seconds=number)))
        for number in range(RECEIPTS_KEPT_MAX + 50)
    )
    kept = busy[member(1)].receipts
    assert len(kept) == RECEIPTS_KEPT_MAX
    assert kept[0].receipt_key == receipt_key(50)


def test_a_receipt_later_than_is_allowed_says_that_it_cannot_tell() -> None:
    _, effects = play([fact(receipt(1, at=MORNING + timedelta(days=7, minutes=1))), fact(receipt(2, at=MORNING))])
    assert {result for result, _ in final_decisions(effects)[receipt_key(2)][1].values()} == {Result.INSUFFICIENT}
