"""The demo's tills number their receipts, and some are kept back."""

from datetime import UTC, datetime, timedelta

from cli.demo.documents import Play, stage_play
from cli.demo.gaps import WITHHELD, number_consecutively, withhold
from cli.demo.panel import Article, Basket

MORNING = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
MILK = Article(1, "GROCERY", 1, 250, 0)


def play() -> Play:
    baskets = [
        Basket(10_000 + number, 7 + number % 3, 300, MORNING + timedelta(minutes=2 * number), (MILK,))
        for number in range(200)
    ]
    staged = stage_play(baskets, cashier_household=99)
    number_consecutively(staged)
    return staged


def shifts_of(staged: Play) -> dict[tuple[object, ...], list[int]]:
    numbers: dict[tuple[object, ...], list[int]] = {}
    for document in staged.documents:
        key = document["key"]
        place = (document["partner_id"], key["store_id"], key["till_id"], key["business_date"], key["shift"])
        numbers.setdefault(place, []).append(key["number"])
    return numbers


def test_a_till_counts_from_one_within_a_shift_returns_included() -> None:
    staged = play()
    assert staged.returns
    for numbers in shifts_of(staged).values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_a_return_names_its_purchase_by_the_number_that_it_got() -> None:
    staged = play()
    keys = [receipt["key"] for receipt in staged.receipts]
    assert all(returned["original"] in keys for returned in staged.returns)


def test_what_is_kept_back_leaves_a_hole_amid_its_shift_and_no_return_without_its_purchase() -> None:
    staged = play()
    highest = {place: max(numbers) for place, numbers in shifts_of(staged).items()}
    withheld = withhold(staged)
    assert len(withheld) == WITHHELD
    keys = [receipt["key"] for receipt in staged.receipts]
    assert all(document["key"] not in keys for document in withheld)
    assert all(returned["original"] in keys for returned in staged.returns)
    assert {place: max(numbers) for place, numbers in shifts_of(staged).items()} == highest
