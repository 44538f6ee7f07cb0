"""Refunds that a till asks for over HTTP, beside the documents of the same returns. Pure.

The return's own receipt key says that they are one: whichever of the two comes first counts. What HTTP says is a
document like any other where it names lines; where it names an amount, the goods are those of the document that comes
with this key, if one does.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from services.redemption.domain.errors import RedemptionError
from services.redemption.domain.goods_return import OVER_HTTP, GoodsReturn
from services.redemption.domain.redemption import Capture
from services.redemption.domain.returning import Doubt, Paid


class NothingCapturedError(RedemptionError):
    """The receipt took no points of this redemption, or has not yet."""

    def __init__(self) -> None:
        super().__init__("this receipt has taken no points of the redemption: check its key, or capture it first")


class OverpaidRefundError(RedemptionError):
    """More points were asked back than are left of what the receipt took. ``may_pass``: documents that were read wait
    to be settled, as the void of an exchange, so that more may be left in a moment.
    """

    def __init__(self, asked_points: int, refundable_points: int, *, may_pass: bool = False) -> None:
        super().__init__(f"{asked_points} points were asked back, {refundable_points} of what was taken are left")
        self.refundable_points = refundable_points
        self.may_pass = may_pass


class RefundOfVoidedError(RedemptionError):
    """The receipt that had taken the points was voided."""

    def __init__(self) -> None:
        super().__init__("this receipt was voided: all that was left of its points went back with the void")


class GoodsExchangedError(RedemptionError):
    """The document that is named as the return is an exchange."""

    def __init__(self) -> None:
        super().__init__("this document is an exchange: what had paid for its goods pays for the new ones")


class ReturnOfAnotherError(RedemptionError):
    """The document that is named as the return is one of another receipt's goods, or a void."""

    def __init__(self) -> None:
        super().__init__("this return's key is known for another document: name the key of this return")


def decide_refund(capture: Capture, points: int, *, is_being_settled: bool = False) -> Capture:
    """The capture once ``points`` of it are settled by going back. ``is_being_settled``: documents of its receipt
    that were read wait for that.

    Raises:
        OverpaidRefundError: not so many are left that neither went back, nor were paid out in money instead, nor pay
            for goods of exchanges.
    """
    if points > capture.left_points:
        raise OverpaidRefundError(points, capture.left_points, may_pass=is_being_settled)
    return capture.settling(points)


def said_otherwise(
    read: Sequence[GoodsReturn], counted: Sequence[GoodsReturn], paid: Sequence[Paid]
) -> Iterable[Doubt]:
    """Documents of returns that HTTP had told by line before, and which name other goods or another amount; or which
    are exchanges: what had paid for the goods went back, and by the document it pays for others."""
    told = {one.return_key: one for one in counted if one.content_hash == OVER_HTTP}
    for document in read:
        first = told.get(document.return_key)
        if first is None or document.content_hash == OVER_HTTP or not paid:
            continue
        given = [one.given.get(document.return_key, 0) for one in paid]
        if document.moves_on:
            if any(given):
                yield Doubt("overpaid_refund", document, paid[0].capture.redemption_id, sum(given), sum(given))
            continue
        worth_minor = sum(
            (
                Fraction(points * one.amount_minor, max(1, one.capture.asked_points))
                for points, one in zip(given, paid, strict=True)
            ),
            start=Fraction(),
        )
        said_minor = worth_minor if document.said is None else Fraction(sum(one.amount_minor for one in document.said))
        if document.thousandths != first.thousandths or abs(said_minor - worth_minor) >= len(paid):
            yield Doubt("amount_mismatch", document, paid[0].capture.redemption_id, 0, sum(given))
