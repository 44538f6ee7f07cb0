"""Goods that came back: the points that had paid for them go back to where they came from, by line and quantity."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from services.redemption.domain.giving_back import GiveBack
from services.redemption.domain.goods_return import GoodsReturn
from services.redemption.domain.redemption import Capture, Redemption
from services.redemption.domain.refunding import said_otherwise
from services.redemption.domain.returning import Due, Paid, Settlement, settle_goods
from services.redemption.domain.sold_goods import SoldGoods
from services.redemption.domain.tender import Pricing
from services.redemption.domain.voiding import ReceiptVoid
from services.redemption.programme import Programme
from services.redemption.repository import (
    captures,
    goods_returns,
    receipts,
    recorded_exceptions,
    redemptions,
    sold_goods,
    voided_receipts,
)
from services.redemption.repository.captures import CaptureKey
from services.redemption.repository.goods_returns import NOTHING_GIVEN, KeptReturn, State
from services.redemption.repository.recorded_exceptions import ExceptionKind, ExceptionRecord
from services.redemption.use_cases.give_back import give_back
from services.redemption.use_cases.messages import named
from shared.database import Transaction
from shared.ledger import HeldSince

# How long the receipt of goods that came back may take to be read before a person is told.
UNREAD_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReturnReport:
    """What became of returns, for the metrics, once it is committed."""

    refunded_points: int = 0
    exceptions: tuple[ExceptionKind, ...] = ()


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of some receipts, and of their redemptions, which are locked."""

    goods: Mapping[bytes, SoldGoods]
    locked: Mapping[CaptureKey, Redemption]
    paid: Mapping[bytes, Sequence[Paid]]


async def take_returns(
    transaction: Transaction,
    returns: Sequence[GoodsReturn],
    programme: Programme,
    *,
    held_since: HeldSince | None = None,
) -> ReturnReport:
    """Keep these returns, and settle them as ``settle_returns`` does. One whose receipt was not read yet waits for it.
    Idempotent: a document that was read before changes nothing, and of two under one key the first one counts."""
    if not returns:
        return ReturnReport()
    await receipts.meet_receipts(transaction, {key for one in returns for key in (one.return_key, one.receipt_key)})
    await goods_returns.keep(transaction, returns)
    return await _settle(transaction, {one.receipt_key for one in returns}, programme, held_since)


async def settle_returns(
    transaction: Transaction,
    receipt_keys: Collection[bytes],
    programme: Programme,
    *,
    held_since: HeldSince | None = None,
) -> ReturnReport:
    """Give back what paid for the goods of these receipts that came back, inside the caller's transaction.

    By line and quantity, in whole points that add up to all that was taken once everything has come back, to the lots
    that they came from, of everybody who gave some. Whatever comes first of receipt, capture, return, void and
    exchange, the same is left. Goods that were not bought with the receipt, or more points than it took, are an
    exception, once. Locks receipts, then redemptions, then their owners and these owners' accounts in the ledger, each
    in key order to the commit: call it once a transaction, and nothing else that moves points.
    """
    if not receipt_keys:
        return ReturnReport()
    await receipts.meet_receipts(transaction, receipt_keys)
    return await _settle(transaction, receipt_keys, programme, held_since)


async def tell_unread(transaction: Transaction, rows_max: int) -> list[ExceptionKind]:
    """Tell a person of goods that came back of receipts that took points and were not read for a day."""
    found = await goods_returns.tell_unread(transaction, transaction.now - UNREAD_FOR, rows_max)
    return await recorded_exceptions.record(transaction, found)


async def _settle(
    transaction: Transaction, receipt_keys: Collection[bytes], programme: Programme, held_since: HeldSince | None
) -> ReturnReport:
    returns = await goods_returns.load(transaction, receipt_keys)
    returns = {key: kept for key, kept in returns.items() if any(one.due for one in kept)}
    if not returns:
        return ReturnReport()
    taken = await goods_returns.find_taken(transaction, returns)
    facts = await _load(transaction, returns, taken, programme.pricing)
    voids = await voided_receipts.find_standing(
        transaction, [*returns, *exchanges_among(chain.from_iterable(returns.values()))]
    )
    states: list[tuple[KeptReturn, State]] = []
    settled: list[Settlement] = []
    moved_back: list[GiveBack] = []
    for key, kept in returns.items():
        goods = facts.goods.get(key)
        counting = documents_that_count(kept, voids)
        if goods is None:
            state: State = "unread" if facts.paid.get(key) else "waiting"
            states += [(one, state) for one in kept]
        elif voids.get(key) is not None:  # all of it goes back for the void
            states += [(one, "counted" if one.document.is_counted else "waiting") for one in kept]
            moved_back += _moved_back(goods, kept, voids, facts, taken)
        else:
            paid = facts.paid.get(key, ())
            settlement = settle_goods(goods, counting, paid)
            doubts = said_otherwise([one.document for one in kept if not one.is_refused], settlement.counted, paid)
            settled.append(settlement._replace(doubts=(*settlement.doubts, *doubts)))
            states += _states(kept, settlement)
    due = [one for settlement in settled for one in settlement.due]
    given = [*(_give_back(one, facts, taken) for one in due), *(one for one in moved_back if one.points)]
    points = await give_back(transaction, given, held_since, programme.came_back_days)
    await goods_returns.settle(transaction, states)
    changed = [*_changed(settled, facts), *(one.capture.settling(one.points) for one in moved_back)]
    await goods_returns.settle_captures(transaction, changed)
    # A voided exchange has moved nothing on, though its receipt may not have been settled since.
    sold = [key for key in returns if voids.get(key) is None]
    all_read = list(chain.from_iterable(returns.values()))
    moved_on = await goods_returns.load_moved_on(transaction, all_read, sold)
    documents = [(one.document.return_key, one.document.content_hash, one.document.receipt_key) for one in all_read]
    of_others = await goods_returns.load_of_others(transaction, documents)
    exceptions = await recorded_exceptions.record(transaction, [*_exceptions(settled, facts), *moved_on, *of_others])
    return ReturnReport(points, tuple(exceptions))


async def _load(
    transaction: Transaction,
    returns: Mapping[bytes, Sequence[KeptReturn]],
    taken: Mapping[CaptureKey, datetime],
    pricing: Pricing,
) -> _Facts:
    goods = await sold_goods.load(transaction, returns)
    if not taken:
        return _Facts(goods, {}, {})
    locked = await redemptions.lock_redemptions(transaction, {redemption_id for redemption_id, _ in taken})
    captured = await captures.load_captures(transaction, taken)
    given = await goods_returns.load_given(transaction, taken)
    paid: dict[bytes, list[Paid]] = {}
    for key in taken:  # in key order
        redemption, capture = locked[key[0]], captured[key]
        amount_minor = amount_minor_of(goods.get(key[1]), redemption, capture, pricing)
        paid.setdefault(key[1], []).append(Paid(capture, amount_minor, *given.get(key, NOTHING_GIVEN)))
    return _Facts(goods, {key: locked[key[0]] for key in taken}, paid)


def amount_minor_of(goods: SoldGoods | None, redemption: Redemption, capture: Capture, pricing: Pricing) -> int:
    """What a capture paid in money: as the receipt says, else as it was quoted, else at the price that was set."""
    for payment in goods.payments if goods is not None else ():
        if payment.redemption_id == redemption.redemption_id:
            return payment.amount_minor
    if redemption.value_minor is not None:
        return redemption.value_minor * capture.asked_points // redemption.held_points
    return pricing.minor_for(capture.asked_points, redemption.point_type)


def exchanges_among(kept: Iterable[KeptReturn]) -> list[bytes]:
    """The keys of those that may be voided."""
    return [one.document.return_key for one in kept if one.document.moves_on]


def documents_that_count(kept: Sequence[KeptReturn], voids: Mapping[bytes, ReceiptVoid | None]) -> list[GoodsReturn]:
    """One document of each key: the one that counts, else the first that was not refused; no exchange that is voided,
    by ``voids`` of what ``exchanges_among`` names."""
    found: dict[bytes, KeptReturn] = {}
    for one in sorted(kept, key=lambda one: not one.document.is_counted):
        if one.document.is_counted or not one.is_refused:
            found.setdefault(one.document.return_key, one)
    chosen = set(map(id, found.values()))
    return [one.document for one in kept if id(one) in chosen and voids.get(one.document.return_key) is None]


def _states(kept: Sequence[KeptReturn], settlement: Settlement) -> Iterable[tuple[KeptReturn, State]]:
    counted = set(settlement.counted)
    refused = set(settlement.refused)
    for one in kept:
        if one.document in counted:
            yield one, "counted"
        elif one.document in refused or one.is_refused:
            yield one, "refused"
        else:  # another document bears its key, or it is a voided exchange
            yield one, "waiting"


def _give_back(due: Due, facts: _Facts, taken: Mapping[CaptureKey, datetime]) -> GiveBack:
    key = (due.capture.redemption_id, due.capture.receipt_key)
    return GiveBack(facts.locked[key], due.capture, taken[key], due.document, due.points)


def _moved_back(
    goods: SoldGoods,
    kept: Sequence[KeptReturn],
    voids: Mapping[bytes, ReceiptVoid | None],
    facts: _Facts,
    taken: Mapping[CaptureKey, datetime],
) -> Iterable[GiveBack]:
    """Of a voided receipt what its exchanges had moved on, back for the voids of these: its own void found nothing of
    that left."""
    counted = [one.document for one in kept if one.document.is_counted]
    undone = [void for one in counted if one.moves_on and (void := voids.get(one.return_key)) is not None]
    standing = [one for one in counted if voids.get(one.return_key) is None]
    paid = facts.paid.get(goods.receipt_key, ())
    for one, now in zip(paid, settle_goods(goods, standing, paid).captures, strict=True):
        key = (now.redemption_id, now.receipt_key)
        undoing = next((void for void in undone if void.undone_by not in one.given), None)
        # Without one a correction has shared the points among the lines anew: nobody undid anything.
        if undoing is not None and now.moved_points < one.capture.moved_points:
            capture = replace(one.capture, moved_points=now.moved_points)
            yield GiveBack(facts.locked[key], capture, taken[key], undoing)


def _changed(settled: Sequence[Settlement], facts: _Facts) -> list[Capture]:
    before = {(one.capture.redemption_id, one.capture.receipt_key): one.capture for one in chain(*facts.paid.values())}
    return [
        capture
        for capture in chain.from_iterable(settlement.captures for settlement in settled)
        if _figures(capture) != _figures(before[capture.redemption_id, capture.receipt_key])
    ]


def _figures(capture: Capture) -> tuple[int, int]:
    return capture.settled_points, capture.moved_points


def _exceptions(settled: Sequence[Settlement], facts: _Facts) -> Iterable[ExceptionRecord]:
    for doubt in chain.from_iterable(settlement.doubts for settlement in settled):
        _, partner_id = named(facts.locked[doubt.redemption_id, doubt.document.receipt_key])
        yield ExceptionRecord(
            kind=doubt.kind,
            redemption_id=doubt.redemption_id,
            receipt_key=doubt.document.receipt_key,
            content_hash=doubt.document.content_hash,
            partner_id=partner_id,
            asked_points=doubt.asked_points,
            captured_points=doubt.given_points,
        )
