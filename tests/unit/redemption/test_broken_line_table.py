"""What the table of the broken line states is what a person would call right, and it leaves no case out.

That redemption does so is a test on a real database (``tests/integration/redemption/test_broken_line.py``).
"""

from operator import attrgetter

import pytest

from tests.support.broken_line import Conversation, Row, every_arrival, stated_rows

HAD, POINTS, FIRST_LOT = 1000, 400, 300
ROWS = stated_rows()


def rightly_taken(arrived: Conversation) -> int:
    """What a person would take. A receipt is a fact, whatever came before it, and pays once, whoever says so first; a
    capture without one needs its points reserved; of a sale that never was nothing is taken, whoever says so first."""
    is_reserved = is_over = is_undone = is_taken = False
    is_returned = {"receipt", "return"} <= set(arrived)  # all its goods: of a receipt that nobody has read, who knows
    for message in arrived:
        match message:
            case "hold":
                is_reserved = not is_over
            case "void" | "expiry":  # a void ends the id, also one whose hold is to come; time ends what is reserved
                is_over, is_reserved = is_over or is_reserved or message == "void", False
            case "undo":
                is_undone = True
            case "receipt" | "capture":
                takes = not is_taken and not is_undone and (is_reserved or message == "receipt")
                is_taken, is_over = is_taken or takes, is_over or takes
                is_reserved = is_reserved and not takes
    return POINTS if is_taken and not is_undone and not is_returned else 0


def test_it_has_every_message_lost_doubled_late_and_reordered_and_every_two_of_these() -> None:
    assert [row.arrived for row in ROWS] == every_arrival()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row.arrived) or "nothing")
def test_it_ends_right(row: Row) -> None:
    taken = rightly_taken(row.arrived)
    from_first = min(taken, FIRST_LOT)

    assert (row.taken, row.available, row.held) == (taken, HAD - taken, 0)
    assert row.lots == (FIRST_LOT - from_first, HAD - FIRST_LOT - (taken - from_first))
    assert row.exceptions == ()


@pytest.mark.parametrize("told", ["held", "captured", "refunded", "voided", "expired"])
def test_nothing_is_told_twice(told: str) -> None:
    assert max(row.events.count(told) for row in ROWS) == 1


def test_whatever_was_reserved_is_taken_or_let_go_and_told_so() -> None:
    for row in ROWS:
        let_go = [told for told in row.events if told in ("voided", "expired")]
        ends = [*let_go, *(told for told in row.events if told == "captured" and not let_go)]
        assert len(ends) == ("held" in row.events) or "held" not in row.events, row
        is_back = "undo" in row.arrived or {"receipt", "return"} <= set(row.arrived)
        assert ("refunded" in row.events) == ("captured" in row.events and is_back), row


def test_a_sale_is_paid_for_and_one_that_never_was_is_not() -> None:
    sold = [row for row in ROWS if "receipt" in row.arrived and not {"undo", "return"} & set(row.arrived)]
    undone = [row for row in ROWS if "undo" in row.arrived or {"receipt", "return"} <= set(row.arrived)]

    assert set(map(attrgetter("taken"), sold)) == {POINTS}
    assert set(map(attrgetter("taken"), undone)) == {0}
