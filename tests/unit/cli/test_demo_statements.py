"""Whether a statement adds up, as the demo asks of every member's."""

from cli.demo.statements import adds_up

EARNED = {"points": 50, "available_after": 50}
SPENT = {"points": -20, "available_after": 30}
CAPTURED = {"points": 0, "available_after": 30}


def test_a_statement_adds_up_from_nothing_to_the_balance() -> None:
    assert adds_up([], 0)
    assert adds_up([CAPTURED, SPENT, EARNED], 30)


def test_a_statement_that_lacks_a_line_or_tells_another_balance_does_not() -> None:
    assert not adds_up([SPENT, EARNED], 29)
    assert not adds_up([SPENT], 30)
    assert not adds_up([CAPTURED, EARNED], 30)
    assert not adds_up([], 1)
