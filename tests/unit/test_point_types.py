"""The programme's point types: which are spent, for how much, and how amounts of them are said."""

import pytest
from pydantic import ValidationError

from shared.point_types import OtherPointType, PointTypes, UnknownPointTypeError

TYPES = PointTypes(
    "points",
    0,
    (OtherPointType(code="miles", use="spend", exponent=2, minor_per_point=5), OtherPointType(code="status")),
)


def test_types_are_spent_or_only_count() -> None:
    assert TYPES.spent_codes == ("points", "miles")
    assert TYPES.status_codes == {"status"}
    assert TYPES.other_codes == {"miles", "status"}
    assert [TYPES.is_spent(code) for code in ("points", "miles", "status", "stars")] == [True, True, False, False]
    assert TYPES.prices == {"miles": 5}
    assert (TYPES.of(None), TYPES.of("status")) == ("points", "status")
    with pytest.raises(UnknownPointTypeError, match="miles, points, status"):
        TYPES.of("stars")


def test_status_points_have_no_price() -> None:
    with pytest.raises(ValidationError, match="status points pay nothing"):
        OtherPointType(code="status", minor_per_point=5)


@pytest.mark.parametrize(
    ("code", "points", "words"),
    [
        ("points", 1, "1 point"),
        ("points", 1_234, "1,234 points"),
        ("miles", 1, "0.01 miles"),
        ("miles", 123_456, "1,234.56 miles"),
        ("status", 40, "40 status"),
        ("stars", 7, "7 stars"),
    ],
)
def test_amounts_are_said_with_their_decimals_and_their_names(code: str, points: int, words: str) -> None:
    assert TYPES.unit_of(code).in_words(points) == words


def test_own_points_with_decimals_are_points() -> None:
    assert PointTypes("points", 2).unit_of("points").in_words(100) == "1.00 points"
