"""Give points back that a receipt took, because a till asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.errors import ReceiptVoidedError, UnknownRedemptionError
from services.redemption.domain.giving_back import GiveBack
from services.redemption.domain.goods_return import OVER_HTTP, GoodsReturn
from services.redemption.domain.redemption import Capture, Redemption
from services.redemption.domain.refunding import (
    GoodsExchangedError,
    NothingCapturedError,
    RefundOfVoidedError,
    ReturnOfAnotherError,
    decide_refund,
)
from services.redemption.programme import Programme
from services.redemption.repository import (
    captures,
    goods_returns,
    receipts,
    recorded_exceptions,
    redemptions,
    voided_receipts,
)
from services.redemption.repository.recorded_exceptions import ExceptionKind, ExceptionRecord
from services.redemption.use_cases.give_back import give_back
from services.redemption.use_cases.messages import named
from services.redemption.use_cases.quote_goods_return import quote_goods_return
from services.redemption.use_cases.settle_returns import ReturnReport, take_returns
from services.redemption.use_cases.visibility import Viewer
from shared import ledger
from shared.database import Transaction
from shared.ledger import Balances
from shared.receipt_key import DocumentKey, FiscalKey, SequenceKey, encode_receipt_key
from shared.telemetry.trace_context import current_traceparent


class Wanted(NamedTuple):
    """What a till asks back for a return (``receipt``) of goods of a receipt (``original``): so many points, or what
    had paid for these goods (thousandths by the receipt's lines). One of the two."""

    original: SequenceKey | FiscalKey | DocumentKey
    receipt: SequenceKey | FiscalKey | DocumentKey
    points: int | None = None
    thousandths: Mapping[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Refunded:
    """``points`` of the redemption went back for the return, now or before; ``report`` is what this request did."""

    redemption: Redemption
    capture: Capture
    return_key: bytes
    points: int
    balance: Balances
    report: ReturnReport


class _Met(NamedTuple):
    """The receipt and the return, which are locked, and what the receipt has taken of the redemption."""

    redemption: Redemption
    capture: Capture
    captured_at: datetime
    receipt_key: bytes
    return_key: bytes

    @property
    def partner_id(self) -> str:
        return named(self.redemption)[1]


async def refund_points(
    transaction: Transaction, viewer: Viewer, redemption_id: UUID, wanted: Wanted, programme: Programme
) -> Refunded:
    """Give points of a redemption back for a return, to the lots that they came from, with their own dates.

    Once for redemption, receipt and return, whichever comes first, this call or the return's own document: the other
    one gives nothing more, and where the amounts differ an exception is recorded. Asked for by lines, it is as if the
    return had been read: all redemptions that had paid for these goods get theirs. Asked for by points, no goods are
    named until the return is read. Locks both documents, then redemptions, then their owners and these owners' accounts
    in the ledger, each in key order to the commit.

    Raises:
        UnknownRedemptionError, NothingCapturedError, RefundOfVoidedError, GoodsExchangedError, ReturnOfAnotherError,
            OverpaidRefundError: nothing was changed.
        ReceiptUnreadError: lines are named, and what the receipt sold was not read yet.
        NotBoughtError: a line was not bought, or less is left of it.
    """
    met = await _meet(transaction, viewer, redemption_id, wanted)
    given = (await goods_returns.load_given(transaction, [(redemption_id, met.receipt_key)])).get(
        (redemption_id, met.receipt_key), goods_returns.NOTHING_GIVEN
    )
    kept = (await goods_returns.load(transaction, [met.receipt_key])).get(met.receipt_key, [])
    mine = [one.document for one in kept if one.document.return_key == met.return_key]
    if any(one.moves_on for one in mine):
        raise GoodsExchangedError
    if await goods_returns.is_of_another(transaction, met.return_key, met.receipt_key):
        raise ReturnOfAnotherError
    if met.return_key in given.by_document or any(one.is_counted for one in mine):
        return await _repeat(transaction, met, wanted, given.by_document.get(met.return_key, 0), mine)
    voids = await voided_receipts.find_standing(transaction, [met.receipt_key])
    if voids.get(met.receipt_key) is not None:
        raise RefundOfVoidedError
    if wanted.points is not None:
        is_being_settled = any(one.due for one in kept)
        report = await _by_points(transaction, met, wanted.points, programme, is_being_settled=is_being_settled)
    else:
        report = await _by_lines(transaction, met, wanted.thousandths or {}, programme)
    return await _refunded(transaction, met, report)


async def _meet(transaction: Transaction, viewer: Viewer, redemption_id: UUID, wanted: Wanted) -> _Met:
    # Which receipts they are depends on the partner: documents are locked before redemptions, so that row is read
    # without a lock. Nothing of what a receipt took goes back while it is locked.
    found = await redemptions.find_redemption(transaction, redemption_id)
    if found is None or not viewer.sees(found.partner_id):
        raise UnknownRedemptionError
    if found.partner_id is None:
        raise NothingCapturedError
    receipt_key = encode_receipt_key(found.partner_id, wanted.original)
    return_key = encode_receipt_key(found.partner_id, wanted.receipt)
    await receipts.meet_receipts(transaction, [receipt_key, return_key])
    taken = await goods_returns.find_taken(transaction, [receipt_key])
    captured = await captures.load_captures(transaction, [(redemption_id, receipt_key)])
    capture = captured.get((redemption_id, receipt_key))
    if capture is None:
        raise NothingCapturedError
    return _Met(found, capture, taken[redemption_id, receipt_key], receipt_key, return_key)


async def _by_points(
    transaction: Transaction, met: _Met, points: int, programme: Programme, *, is_being_settled: bool
) -> ReturnReport:
    redemption = await redemptions.lock_redemption(transaction, met.redemption.redemption_id)
    if redemption is None:
        raise AssertionError("unreachable: redemptions stay")
    settled = decide_refund(met.capture, points, is_being_settled=is_being_settled)
    given = GiveBack(redemption, met.capture, met.captured_at, _document(met), points)
    await give_back(transaction, [given], None, programme.came_back_days)
    await goods_returns.settle_captures(transaction, [settled])
    return ReturnReport(points)


async def _by_lines(
    transaction: Transaction, met: _Met, thousandths: Mapping[int, int], programme: Programme
) -> ReturnReport:
    try:
        await quote_goods_return(transaction, met.receipt_key, thousandths, programme.pricing)
    except ReceiptVoidedError:
        raise AssertionError("unreachable: it is locked, and was not voided") from None
    report = await take_returns(transaction, [_document(met, tuple(sorted(thousandths.items())))], programme)
    kept = (await goods_returns.load(transaction, [met.receipt_key])).get(met.receipt_key, [])
    if not any(one.document.is_counted for one in kept if one.document.return_key == met.return_key):
        raise ReturnOfAnotherError  # its own document waited until now, and says what cannot be
    return report


def _document(met: _Met, thousandths: tuple[tuple[int, int], ...] = ()) -> GoodsReturn:
    return GoodsReturn(met.return_key, OVER_HTTP, met.receipt_key, thousandths, traceparent=current_traceparent())


async def _repeat(
    transaction: Transaction, met: _Met, wanted: Wanted, given_points: int, mine: list[GoodsReturn]
) -> Refunded:
    counted = next((one for one in mine if one.is_counted), None)
    if wanted.points is not None:
        is_mismatch = wanted.points != given_points
    else:
        asked = tuple(sorted((wanted.thousandths or {}).items()))
        is_mismatch = counted is not None and counted.thousandths != asked
    kinds: list[ExceptionKind] = []
    if is_mismatch:
        record = ExceptionRecord(
            kind="amount_mismatch",
            redemption_id=met.redemption.redemption_id,
            receipt_key=met.return_key,
            content_hash=OVER_HTTP,
            partner_id=met.partner_id,
            asked_points=wanted.points or 0,
            captured_points=given_points,
        )
        kinds = await recorded_exceptions.record(transaction, [record])
    return await _refunded(transaction, met, ReturnReport(0, tuple(kinds)))


async def _refunded(transaction: Transaction, met: _Met, report: ReturnReport) -> Refunded:
    """As it stands now, this transaction having done what it does."""
    key = (met.redemption.redemption_id, met.receipt_key)
    given = (await goods_returns.load_given(transaction, [key])).get(key, goods_returns.NOTHING_GIVEN)
    capture = (await captures.load_captures(transaction, [key]))[key]
    redemption = await redemptions.find_redemption(transaction, met.redemption.redemption_id)
    if redemption is None:
        raise AssertionError("unreachable: redemptions stay")
    member_id, _ = named(redemption)
    balances = await ledger.load_balances(transaction, [member_id], redemption.point_type)
    points = given.by_document.get(met.return_key, 0)
    return Refunded(redemption, capture, met.return_key, points, balances[member_id], report)
