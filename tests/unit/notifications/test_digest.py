"""What a digest says."""

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.digest import LINES_MAX, PartnerTotal, fold_digest, format_points


def test_lines_are_ranked_by_points_and_add_up() -> None:
    digest = fold_digest([PartnerTotal("Fuel", 1, 40, 0), PartnerTotal("Grocer", 3, 1_200, 15)])

    assert [line.partner_name for line in digest.lines] == ["Grocer", "Fuel"]
    assert (digest.points, digest.receipts, digest.debt_cleared, digest.other_points) == (1_240, 4, 15, 0)


totals = st.lists(
    st.builds(
        PartnerTotal,
        partner_name=st.text(min_size=1, max_size=5),
        receipts=st.integers(1, 50),
        points=st.integers(1, 10**9),
        debt_cleared=st.integers(0, 100),
    ),
    max_size=2 * LINES_MAX,
)


@given(totals, st.randoms(use_true_random=False))
def test_the_lines_always_add_up_and_do_not_depend_on_order(found: list[PartnerTotal], shuffler: object) -> None:
    digest = fold_digest(found)
    shuffled = list(found)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random

    assert len(digest.lines) <= LINES_MAX
    assert sum(line.points for line in digest.lines) + digest.other_points == digest.points
    assert digest.points == sum(total.points for total in found)
    assert fold_digest(shuffled).points == digest.points
    assert [line.points for line in fold_digest(shuffled).lines] == [line.points for line in digest.lines]


def test_points_are_written_plainly() -> None:
    assert [format_points(points) for points in (0, 950, 12_450, 1_000_000)] == ["0", "950", "12,450", "1,000,000"]
