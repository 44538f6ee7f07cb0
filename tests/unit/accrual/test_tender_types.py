"""A receipt says only points that somebody can pay with, and of one redemption one type."""

import pytest

from services.accrual.domain.tender_types import check_point_types
from services.accrual.schemas.documents import TenderBody
from shared.point_types import OtherPointType, PointTypes

TYPES = PointTypes("points", 0, (OtherPointType(code="miles", use="spend"), OtherPointType(code="status")))
ONE, TWO = "018f0000-0000-7000-8000-000000000001", "018f0000-0000-7000-8000-000000000002"


@pytest.mark.parametrize(
    ("said", "pointers"),
    [
        ([("points", None, ONE), ("points", "miles", TWO), ("points", "points", None)], []),
        ([("card", None, None), ("points", "status", ONE)], ["/tenders/1/point_type"]),
        ([("points", "stars", ONE)], ["/tenders/0/point_type"]),
        ([("card", "miles", None)], ["/tenders/0/point_type"]),
        ([("points", "miles", ONE), ("points", "points", ONE)], ["/tenders/1/point_type"]),
        ([("points", "miles", ONE), ("points", None, ONE)], []),
    ],
)
def test_a_tender_names_points_that_pay(said: list[tuple[str, str | None, str | None]], pointers: list[str]) -> None:
    tenders = [
        TenderBody.model_validate(
            {"kind": kind, "amount_minor": 100}
            | ({"point_type": point_type} if point_type else {})
            | ({"redemption_id": redemption_id} if redemption_id else {})
        )
        for kind, point_type, redemption_id in said
    ]
    assert [fault.pointer for fault in check_point_types(tenders, TYPES)] == pointers
