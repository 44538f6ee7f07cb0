"""Say what a till would pay back for goods of a receipt that was paid with points, in money and in points."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.errors import NoPointsInReceiptError, ReceiptUnreadError, ReceiptVoidedError
from services.redemption.domain.return_quote import ReturnQuote, quote_return
from services.redemption.domain.returning import Paid
from services.redemption.domain.tender import Pricing
from services.redemption.repository import goods_returns, redemptions, sold_goods, voided_receipts
from services.redemption.use_cases.settle_returns import amount_minor_of, documents_that_count, exchanges_among
from shared.database import Transaction


class QuotedReturn(NamedTuple):
    """The quote, and of which type the points of each redemption are."""

    quote: ReturnQuote
    types: Mapping[UUID, str]


async def quote_goods_return(
    transaction: Transaction, receipt_key: bytes, thousandths: Mapping[int, int], pricing: Pricing
) -> QuotedReturn:
    """What would be paid back if these quantities, by the receipt's lines, came back now. Nothing is written or locked:
    the transaction is a snapshot.

    Raises:
        NoPointsInReceiptError: nothing is known here of what the receipt sold, and no points were taken for it.
        ReceiptUnreadError: they were, and what it sold is not known yet.
        ReceiptVoidedError: it was voided; all that is left of its points has gone back.
        NotBoughtError: a line was not bought, or less is left of it.
    """
    goods = (await sold_goods.load(transaction, [receipt_key])).get(receipt_key)
    if goods is None:
        # A till that believes no points are in it would pay money for what points had paid.
        raise (
            ReceiptUnreadError if await goods_returns.find_taken(transaction, [receipt_key]) else NoPointsInReceiptError
        )
    kept = (await goods_returns.load(transaction, [receipt_key])).get(receipt_key, [])
    voids = await voided_receipts.find_standing(transaction, [receipt_key, *exchanges_among(kept)])
    if voids.get(receipt_key) is not None:
        raise ReceiptVoidedError
    taken = await goods_returns.find_taken(transaction, [receipt_key])
    captures = await redemptions.load_captures(transaction, taken)
    given = await goods_returns.load_given(transaction, taken)
    paid: list[Paid] = []
    types: dict[UUID, str] = {}
    for key in taken:
        redemption = await redemptions.find_redemption(transaction, key[0])
        if redemption is None:
            raise AssertionError("unreachable: redemptions stay")
        types[key[0]] = redemption.point_type
        amount_minor = amount_minor_of(goods, redemption, captures[key], pricing)
        paid.append(Paid(captures[key], amount_minor, given.get(key, {})))
    return QuotedReturn(quote_return(goods, documents_that_count(kept, voids), paid, thousandths), types)
