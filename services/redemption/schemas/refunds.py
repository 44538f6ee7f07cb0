"""What HTTP says of refunds."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.domain.write_off.quoting import THOUSANDTHS
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.balances import BalanceAnswer
from services.redemption.schemas.quotes import LINES_MAX
from services.redemption.schemas.redemptions import CaptureAnswer, RedemptionAnswer
from services.redemption.schemas.return_quotes import ReturnedLineBody
from services.redemption.use_cases.refund_points import Refunded, Wanted
from shared.point_types import PointTypes
from shared.receipt_key import ReceiptKey, receipt_id_of
from shared.web import Body, PositivePoints


class RefundBody(Body):
    """Give points back for a return: so many, or what had paid for goods of the receipt, by its lines."""

    original: ReceiptKey = Field(description="The receipt that took the points.")
    receipt: ReceiptKey = Field(
        description="The return's own key. Its document, if one is posted, gives nothing back a second time."
    )
    points: PositivePoints | None = None
    lines: Annotated[tuple[ReturnedLineBody, ...], Field(min_length=1, max_length=LINES_MAX)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.points is None) == (self.lines is None):
            raise PydanticCustomError("points_or_lines", "Say points or lines: one of the two")
        lines = self.lines or ()
        if len({line.line_id for line in lines}) != len(lines):
            raise PydanticCustomError("line_twice", "Line ids name lines: each may stand once")
        if self.receipt == self.original:
            raise PydanticCustomError("own_return", "A return is a document of its own, with its own key")
        return self

    def wanted(self) -> Wanted:
        """As the use case knows it."""
        quantities = {line.line_id: int(line.quantity * THOUSANDTHS) for line in self.lines or ()}
        return Wanted(self.original, self.receipt, self.points, None if self.lines is None else quantities)


class RefundAnswer(Answer):
    """What went back of the redemption for one return, by this request or by the return's document before."""

    receipt_id: str
    original_receipt_id: str
    points: int


class RefundedAnswer(RedemptionAnswer):
    """The points are back in the lots that they came from. ``capture`` is what their receipt took, and what of that is
    back by now."""

    refund: RefundAnswer
    capture: CaptureAnswer
    balance: BalanceAnswer

    @classmethod
    def of_refund(cls, refunded: Refunded, types: PointTypes) -> Self:
        """The answer for a refund."""
        parts: dict[str, Any] = {
            "refund": RefundAnswer(
                receipt_id=receipt_id_of(refunded.return_key),
                original_receipt_id=receipt_id_of(refunded.capture.receipt_key),
                points=refunded.points,
            ),
            "capture": CaptureAnswer.of(refunded.capture),
            "balance": BalanceAnswer.of(refunded.balance),
        }
        return cls.of(refunded.redemption, types, **parts)
