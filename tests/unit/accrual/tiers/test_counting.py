"""What documents of a batch count, and in which rounds."""

from datetime import UTC, date, datetime

from services.accrual.domain.tiers.counting import ROUNDS_MAX, Counted, in_rounds
from services.accrual.domain.tiers.qualification import Amounts
from tests.support.receipts import member

ANNA, BERT = member(1), member(2)
TODAY: date = datetime(2026, 3, 1, tzinfo=UTC).date()


def counted(who: int, points: int) -> Counted:
    return Counted(member(who), TODAY, Amounts(points=points))


def test_who_only_collects_or_only_gives_back_needs_one_round() -> None:
    batch = [counted(1, 10), counted(2, -5), counted(1, 20), counted(2, -6)]

    assert in_rounds(batch) == [batch]
    assert in_rounds([]) == []


def test_each_member_s_documents_take_effect_in_their_order() -> None:
    batch = [counted(1, 90), counted(1, -50), counted(2, 7), counted(1, 20), counted(1, 30), counted(2, -7)]

    assert in_rounds(batch) == [[batch[0], batch[2]], [batch[1], batch[5]], [batch[3], batch[4]]]


def test_rounds_are_bounded() -> None:
    batch = [counted(1, 1 if number % 2 else -1) for number in range(3 * ROUNDS_MAX)]

    rounds = in_rounds(batch)

    assert len(rounds) == ROUNDS_MAX
    assert [one for each in rounds for one in each] == batch
