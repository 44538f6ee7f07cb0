"""A statement's lines: what they say, and how transfers become one line."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.redemption.domain.statement import Checkout, Movement, describe, fold_transfers
from shared.ledger import StatementLine
from shared.ledger.balances import Side
from shared.ledger.legs import ALL_LEGS, Legs, Position, Purpose
from shared.receipt_key import receipt_id_of
from tests.support.redemption import paid_with_points, receipt_key_of

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
HOLD = UUID("01935f3e-0000-7000-8000-000000000001")
RECEIPT = receipt_key_of(paid_with_points(1, 100, HOLD))


def transfer(
    number: int,
    purpose: Purpose,
    debit: Position,
    credit: Position,
    points: int,
    *,
    reference: bytes = RECEIPT,
    partner_id: str | None = None,
) -> StatementLine:
    return StatementLine(number, NOON, purpose, debit, credit, points, partner_id, reference, None)


def test_a_movement_through_several_lots_is_one_line() -> None:
    transfers = [
        transfer(9, "earn", "issue", "available", 5, reference=b"other"),
        transfer(8, "reserve", "available", "held", 30, reference=HOLD.bytes),
        transfer(7, "reserve", "available", "held", 20, reference=HOLD.bytes),
        transfer(6, "earn", "issue", "available", 50),
    ]

    folded = list(fold_transfers(transfers))

    assert [(movement.points, movement.change, movement.oldest_transfer_id) for movement in folded] == [
        (5, 5, 9),
        (50, -50, 7),
        (50, 50, 6),
    ]
    assert [movement.receipt_id for movement in folded] == [None, None, receipt_id_of(RECEIPT)]


@pytest.mark.parametrize(
    ("purpose", "debit", "credit", "change", "words"),
    [
        ("earn", "issue", "available", 1200, "Earned 1,200 points at Grocer"),
        ("reserve", "available", "held", -1200, "Reserved 1,200 points for a checkout at Grocer"),
        ("capture", "held", "redeem", 0, "Spent 1,200 points at Grocer, reserved before"),
        ("void", "held", "available", 1200, "1,200 points reserved at Grocer and not needed are available again"),
        (
            "expire",
            "held",
            "available",
            1200,
            "1,200 points reserved at Grocer are available again: the checkout was not finished in time",
        ),
        ("spend_late", "available", "redeem", -1200, "Spent 1,200 points at Grocer"),
        ("claw_back", "available", "issue", -1200, "1,200 points taken back for a return at Grocer"),
        (
            "claw_back",
            "pending",
            "issue",
            0,
            "1,200 points that were set aside taken back for a return at Grocer",
        ),
        ("claw_back", "debt", "issue", 0, "1,200 points owed for a return at Grocer: they had been spent"),
        ("clear_debt", "available", "debt", -1200, "1,200 points went to what was owed"),
        ("suspend", "available", "pending", -1200, "1,200 points set aside while a purchase is checked"),
        ("release", "pending", "available", 1200, "1,200 points can be spent again"),
        ("earn", "issue", "pending", 0, "Earned 1,200 points at Grocer, to be spent later"),
        (
            "spend_late",
            "debt",
            "redeem",
            0,
            "1,200 points owed for a purchase at Grocer that was paid with more points than there were",
        ),
        (
            "refund_owed",
            "redeem",
            "debt",
            0,
            "1,200 points that were owed for a purchase at Grocer are not owed any more: it was undone",
        ),
        ("refund_owed", "issue", "available", 1200, "1,200 points given back at Grocer"),
        ("expire_points", "available", "breakage", -1200, "1,200 points expired"),
        (
            "prolong",
            "available",
            "available",
            0,
            "1,200 points came back after their last day and can be spent a while longer",
        ),
        ("reinstate", "breakage", "available", 1200, "1,200 points that had expired were given back"),
        ("adjust", "adjustment", "available", 1200, "1,200 points added by the programme"),
        ("adjust", "available", "adjustment", -1200, "1,200 points taken by the programme"),
        ("write_off", "adjustment", "debt", 0, "1,200 points that were owed are forgiven"),
        ("refund", "redeem", "available", 1200, "1,200 points given back at Grocer"),
        ("merge", "available", "available", 0, "1,200 points of another membership joined this one"),
        ("merge", "pending", "pending", 0, "1,200 points that another membership had set aside joined this one"),
        ("merge", "debt", "debt", 0, "1,200 points that another membership owed joined this one"),
    ],
)
def test_every_purpose_has_words(purpose: Purpose, debit: Position, credit: Position, change: int, words: str) -> None:
    movement = Movement(1, transfer(1, purpose, debit, credit, 1200), 1200)

    assert describe(movement, "Grocer") == words
    assert movement.change == change


@pytest.mark.parametrize(
    ("purpose", "side", "change", "words"),
    [
        ("gift", "giver", -1200, "1,200 points given to another member"),
        ("gift", "receiver", 1200, "1,200 points were a gift of another member"),
        ("gift", "both", 0, "1,200 points passed between two memberships that are one now"),
        ("leave", "giver", -1200, "1,200 points stayed with the household that was left"),
        ("leave", "receiver", 1200, "1,200 points of a member who left the household stayed with it"),
        ("leave", "both", 0, "1,200 points passed between two memberships that are one now"),
    ],
)
def test_what_is_given_reads_as_the_readers_own_side_of_it(
    purpose: Purpose, side: Side, change: int, words: str
) -> None:
    line = transfer(1, purpose, "available", "available", 1200)
    movement = Movement(1, replace(line, side=side), 1200)

    assert describe(movement, None) == words
    assert movement.change == change


@pytest.mark.parametrize("legs", ALL_LEGS, ids=lambda legs: f"{legs.purpose}: {legs.debit} to {legs.credit}")
def test_no_transfer_of_the_ledger_is_without_words(legs: Legs) -> None:
    movement = Movement(1, transfer(1, *legs, 1200), 1200)

    assert "1,200 points" in describe(movement, "Grocer")


@pytest.mark.parametrize(
    ("purpose", "debit", "credit", "words"),
    [
        ("reserve", "available", "held", "Reserved 1,200 points for a reward at Grocer"),
        ("capture", "held", "redeem", "Spent 1,200 points for a reward at Grocer, reserved before"),
        ("void", "held", "available", "1,200 points reserved for a reward at Grocer are available again"),
        (
            "expire",
            "held",
            "available",
            "1,200 points reserved for a reward at Grocer are available again: it was not used in time",
        ),
    ],
)
def test_a_voucher_issued_used_cancelled_and_expired_says_that_it_was_a_reward(
    purpose: Purpose, debit: Position, credit: Position, words: str
) -> None:
    made_for = Checkout(None, "grocer", None, is_lent=False, is_reward=True)
    movement = Movement(1, transfer(1, purpose, debit, credit, 1200), 1200)

    assert describe(movement, "Grocer", made_for=made_for) == words


def test_one_point_is_no_points_and_a_name_is_taken_as_it_is() -> None:
    movement = Movement(1, transfer(1, "earn", "issue", "available", 1), 1)

    assert describe(movement, "{points} & Sons") == "Earned 1 point at {points} & Sons"
    assert describe(movement, None) == "Earned 1 point"
