"""Say what of a return is ours to say: what a till would pay back for goods, in money and in points."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.errors import ReceiptUnreadError, ReceiptVoidedError
from services.redemption.domain.giving_back import GiveBack
from services.redemption.domain.goods_return import GoodsReturn
from services.redemption.domain.return_quote import PointsBack, ReturnQuote, quote_return
from services.redemption.domain.returning import Paid
from services.redemption.domain.tender import Pricing
from services.redemption.gateways.return_previews import ComesBack
from services.redemption.repository import captures, goods_returns, redemptions, sold_goods, voided_receipts
from services.redemption.use_cases.messages import named
from services.redemption.use_cases.settle_returns import amount_minor_of, documents_that_count, exchanges_among
from services.redemption.use_cases.take_points import owners_of
from shared.database import Transaction


class QuotedReturn(NamedTuple):
    """The quote, of which type the points of each redemption are, and whose they are again."""

    quote: ReturnQuote
    types: Mapping[UUID, str]
    comes_back: tuple[ComesBack, ...] = ()


class PaidInMoney(NamedTuple):
    """A receipt that took no points as far as is known here, and what was read of its goods that came back."""

    returns: tuple[GoodsReturn, ...]


async def quote_goods_return(
    transaction: Transaction, receipt_key: bytes, thousandths: Mapping[int, int], pricing: Pricing
) -> QuotedReturn | PaidInMoney:
    """What would be paid back if these quantities, by the receipt's lines, came back now. Nothing is written or locked:
    the transaction is a snapshot. Of a receipt that took no points what it sold is not known here.

    Raises:
        ReceiptUnreadError: points were taken for it, and what it sold is not known yet.
        ReceiptVoidedError: it was voided; all that is left of its points has gone back.
        NotBoughtError: a line was not bought, or less is left of it.
    """
    goods = (await sold_goods.load(transaction, [receipt_key])).get(receipt_key)
    taken = await goods_returns.find_taken(transaction, [receipt_key])
    if goods is None and taken:
        raise ReceiptUnreadError  # a till that believes no points are in it would pay money for what points had paid
    kept = (await goods_returns.load(transaction, [receipt_key])).get(receipt_key, [])
    voids = await voided_receipts.find_standing(transaction, [receipt_key, *exchanges_among(kept)])
    if voids.get(receipt_key) is not None:
        raise ReceiptVoidedError
    counting = documents_that_count(kept, voids)
    if goods is None:
        return PaidInMoney(tuple(counting))
    captured = await captures.load_captures(transaction, taken)
    given = await goods_returns.load_given(transaction, taken)
    paid: list[Paid] = []
    found: dict[UUID, GiveBack] = {}
    for key, captured_at in taken.items():
        redemption = await redemptions.find_redemption(transaction, key[0])
        if redemption is None:
            raise AssertionError("unreachable: redemptions stay")
        amount_minor = amount_minor_of(goods, redemption, captured[key], pricing)
        paid.append(Paid(captured[key], amount_minor, *given.get(key, goods_returns.NOTHING_GIVEN)))
        found[key[0]] = GiveBack(redemption, captured[key], captured_at, GoodsReturn(b"", "", receipt_key, ()))
    quote = quote_return(goods, counting, paid, thousandths)
    types = {redemption_id: one.redemption.point_type for redemption_id, one in found.items()}
    return QuotedReturn(quote, types, coming_back(quote.points, found))


def coming_back(points: Sequence[PointsBack], found: Mapping[UUID, GiveBack]) -> tuple[ComesBack, ...]:
    """Whose these points are again: what was lent goes back to whoever lent it."""
    back: dict[tuple[UUID, str], int] = {}
    for one in points:
        giving = replace(found[one.redemption_id], asked_points=one.points)
        member_id, _ = named(giving.redemption)
        owners = [*owners_of(giving.redemption, member_id), member_id, member_id]  # late, and owed, are the member's
        for owner_id, part in zip(owners, giving.parts, strict=True):
            key = owner_id, giving.redemption.point_type
            back[key] = back.get(key, 0) + part
    return tuple(ComesBack(*key, part) for key, part in back.items() if part)
