"""Tell a till all about a return beforehand: what it pays back, from here, and which points are taken, from accrual."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from services.redemption import metrics
from services.redemption.domain.errors import (
    GoodsUnknownNowError,
    PointsMovedOnError,
    ReceiptNotKeptError,
    ReceiptUnreadError,
    ReceiptVoidedError,
    UnknownReceiptError,
)
from services.redemption.domain.return_quote import ReturnQuote, Withholding, quote_in_money, withholding
from services.redemption.domain.sold_goods import SoldGoods, SoldLine
from services.redemption.domain.tender import Pricing
from services.redemption.domain.write_off.prices import pricing_at
from services.redemption.gateways.asking import UnansweredError, within
from services.redemption.gateways.return_previews import Bought, ComesBack, ReturnPreview, ReturnPreviews
from services.redemption.programme import Programme
from services.redemption.use_cases.quote_goods_return import PaidInMoney, QuotedReturn, quote_goods_return
from shared.database import Database, Transaction
from shared.receipt_key import receipt_id_of

log = structlog.get_logger(__name__)

_VOIDED = "original_voided"


@dataclass(frozen=True, slots=True)
class ToldReturn:
    """What is paid back; what is ``taken`` of the points that the goods had earned, or why that is ``absent``; and what
    is kept of the refund for what is lacking, where the rules say so."""

    quoted: QuotedReturn
    taken: ReturnPreview | None
    absent: str | None
    withheld: Withholding | None


@dataclass(frozen=True, slots=True)
class ReturnDesk:
    """One a process: what quotes of returns are answered with. ``seconds_max`` is how long accrual is waited for."""

    database: Database
    programme: Programme
    previews: ReturnPreviews
    seconds_max: float

    async def quote(self, receipt_key: bytes, thousandths: Mapping[int, int]) -> ToldReturn:
        """What would become of goods of a receipt if they came back now, by line. Nothing is written or reserved.

        What points had paid, and so what is paid back, is known here; what the goods had earned accrual says. While it
        does not answer, that part is absent, and named. What receipts without points sold it says alone.

        Raises:
            UnknownReceiptError, ReceiptUnreadError, ReceiptVoidedError, ReceiptNotKeptError, PointsMovedOnError: there
                is nothing to be quoted of the receipt, or not yet.
            GoodsUnknownNowError: it took no points, and accrual does not answer.
            NotBoughtError: a line was not bought, or less is left of it.
        """
        found, pricing = await self.database.read(partial(self._read, receipt_key, thousandths))
        comes_back = found.comes_back if isinstance(found, QuotedReturn) else ()
        taken, absent = await self._ask(receipt_key, thousandths, comes_back)
        metrics.RETURN_QUOTES.labels(absent or "there").inc()
        if isinstance(found, QuotedReturn):
            return ToldReturn(found, taken, absent, _withheld(found.quote, taken, pricing))
        if taken is None:
            raise GoodsUnknownNowError
        quote = _in_money(receipt_key, found, taken, thousandths)
        return ToldReturn(QuotedReturn(quote, {}), taken, None, _withheld(quote, taken, pricing))

    async def _read(
        self, receipt_key: bytes, thousandths: Mapping[int, int], transaction: Transaction
    ) -> tuple[QuotedReturn | PaidInMoney, Pricing]:
        """What is known here, and what points are worth now."""
        programme = self.programme
        found = await quote_goods_return(transaction, receipt_key, thousandths, programme.pricing)
        return found, pricing_at(programme.write_off.history, transaction.now, programme.pricing)

    async def _ask(
        self, receipt_key: bytes, thousandths: Mapping[int, int], comes_back: Iterable[ComesBack]
    ) -> tuple[ReturnPreview | None, str | None]:
        try:
            async with within(self.seconds_max):
                return await self.previews.preview(receipt_id_of(receipt_key), thousandths, comes_back), None
        except TimeoutError:
            return None, "late"
        except UnansweredError as error:
            if error.reason == "failed":
                log.warning("what a return takes could not be asked", because=str(error))
            return None, error.reason


def _withheld(quote: ReturnQuote, told: ReturnPreview | None, pricing: Pricing) -> Withholding | None:
    if told is None or not told.withhold:
        return None
    lacking = sum(one.lacking - one.forgiven for one in told.taken if one.point_type == pricing.own_type)
    return withholding(lacking, quote.money_minor, pricing)


def _in_money(
    receipt_key: bytes, found: PaidInMoney, told: ReturnPreview, thousandths: Mapping[int, int]
) -> ReturnQuote:
    """What comes back of a receipt in which no points are: all of it in money."""
    if told.status == "awaiting":
        raise UnknownReceiptError
    if told.reason == _VOIDED:
        raise ReceiptVoidedError
    if told.goods is None:
        raise ReceiptNotKeptError
    if told.goods.points_minor:  # accrual has read it, and we have not; an exchange tells nobody here of its points
        raise PointsMovedOnError if told.goods.is_exchange else ReceiptUnreadError
    returned = {line.line_id: line.returned_thousandths for line in told.goods.lines}
    return quote_in_money(_sold(receipt_key, told.goods), found.returns, returned, thousandths)


def _sold(receipt_key: bytes, goods: Bought) -> SoldGoods:
    lines = tuple(SoldLine(line.line_id, line.quantity_thousandths, line.amount_minor, 0) for line in goods.lines)
    return SoldGoods(receipt_key, receipt_key, "", goods.occurred_at, lines, ())
