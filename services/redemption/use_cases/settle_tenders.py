"""Receipts that were paid with points: their tenders take the points, once for ever."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.redemption.domain.capturing import (
    Disregard,
    NotOurs,
    Repeat,
    Take,
    TenderDecision,
    Wait,
    decide_tender,
)
from services.redemption.domain.redemption import Capture, Redemption
from services.redemption.domain.tender import PaidPart, PointsTender, Pricing
from services.redemption.domain.voiding import ReceiptVoid
from services.redemption.repository import (
    captures,
    projections,
    receipts,
    recorded_exceptions,
    redemptions,
    sold_goods,
    voided_receipts,
    waiting_tenders,
)
from services.redemption.repository.captures import CaptureKey
from services.redemption.repository.recorded_exceptions import ExceptionKind, ExceptionRecord
from services.redemption.use_cases.baskets import baskets_of
from services.redemption.use_cases.compare_goods import Compared, compare_goods
from services.redemption.use_cases.messages import captured_message
from services.redemption.use_cases.take_points import (
    Asked,
    Settled,
    lives_until,
    own_balances,
    owners_of,
    settle,
    taking,
)
from services.redemption.use_cases.void_receipts import given_back_for_others
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import HeldSince, Outcome


@dataclass(frozen=True, slots=True)
class TenderReport:
    """What became of a batch of tenders, for the metrics, once it is committed."""

    outcomes: Counter[str] = field(default_factory=Counter)
    uncovered_points: int = 0
    debt_points: int = 0
    exceptions: tuple[ExceptionKind, ...] = ()


@dataclass(slots=True)
class _Facts:
    """What is locked, and how it stands while the batch is decided tender by tender."""

    redemptions: dict[UUID, Redemption]
    captures: dict[CaptureKey, Capture]
    refused: dict[bytes, frozenset[str]]
    members: dict[str, UUID]
    voids: dict[bytes, ReceiptVoid | None]
    parts: dict[UUID, list[PaidPart]]

    def is_voided(self, receipt_key: bytes) -> bool:
        """Whether a void stands of this receipt."""
        return self.voids.get(receipt_key) is not None


async def settle_tenders(
    transaction: Transaction,
    tenders: Sequence[PointsTender],
    pricing: Pricing,
    *,
    held_since: HeldSince | None = None,
    came_back_days: int = 0,
    owes: bool = False,
) -> TenderReport:
    """Capture what these tenders say was paid, inside the caller's transaction.

    Idempotent: a tender that captured before, over HTTP or from an earlier reading of its receipt, changes nothing.
    Tenders of one redemption are decided in the given order. A hold says of which type the points are; without one the
    receipt does, and else they are the programme's own. What a hold lets go to a lot whose time is over lives
    ``came_back_days`` more. What no balance covers is the partner's loss, or the member ``owes`` it. Locks receipts,
    then redemptions, then members, then the ledger's accounts, each in key order to the commit; the number of
    statements does not depend on the number of tenders.
    """
    if not tenders:
        return TenderReport()
    priced = [tender for tender in tenders if tender.is_priced]
    facts = await _load_facts(transaction, priced, pricing.own_type)
    decisions = [(tender, _decide(facts, tender, pricing, transaction)) for tender in priced]
    taken = await _take(transaction, decisions, facts, held_since, came_back_days, owes=owes)
    await _save_what_waits(transaction, decisions)
    found = [
        *_exceptions_of(tenders, decisions, facts, pricing),
        *await given_back_for_others(transaction, facts.voids),
        *await compare_goods(transaction, _captured(decisions, taken, facts)),
    ]
    exceptions = await recorded_exceptions.record(transaction, found)
    outcomes = Counter(_outcome(decision) for _, decision in decisions)
    if len(priced) < len(tenders):
        outcomes["exception"] += len(tenders) - len(priced)
    return TenderReport(
        outcomes=outcomes,
        uncovered_points=sum(settled.capture.uncovered_points for settled in taken),
        debt_points=sum(settled.capture.debt_points for settled in taken),
        exceptions=tuple(exceptions),
    )


async def _load_facts(transaction: Transaction, tenders: Sequence[PointsTender], own_type: str) -> _Facts:
    refused = await receipts.meet_receipts(transaction, (tender.receipt_key for tender in tenders))
    types = {tender.redemption_id: tender.point_type or own_type for tender in reversed(tenders)}
    met = await redemptions.meet_redemptions(transaction, types)
    captured = await captures.load_captures(
        transaction, ((tender.redemption_id, tender.receipt_key) for tender in tenders)
    )
    members = await projections.find_members(
        transaction,
        {
            tender.identifier_hash
            for tender in tenders
            if tender.member_id is None and tender.identifier_hash is not None
        },
    )
    voids = await _voids_of(transaction, tenders, refused)
    in_parts = [one.redemption_id for one in met.values() if one.is_taken_in_parts and one.captured_points]
    parts = await sold_goods.load_parts(transaction, in_parts) if in_parts else {}
    return _Facts(met, captured, refused, members, voids, parts)


async def _voids_of(
    transaction: Transaction, tenders: Sequence[PointsTender], refused: Mapping[bytes, frozenset[str]]
) -> dict[bytes, ReceiptVoid | None]:
    # The receipt is read now: from here on a void must repeat its total.
    totals_minor: dict[bytes, int] = {}
    for tender in tenders:
        if tender.total_minor is not None and tender.content_hash not in refused[tender.receipt_key]:
            totals_minor.setdefault(tender.receipt_key, tender.total_minor)
    if totals_minor:
        await voided_receipts.keep_totals(transaction, totals_minor)
    return await voided_receipts.find_standing(transaction, [tender.receipt_key for tender in tenders])


def _decide(facts: _Facts, tender: PointsTender, pricing: Pricing, transaction: Transaction) -> TenderDecision:
    if tender.member_id is None and tender.identifier_hash is not None:
        tender = replace(tender, member_id=facts.members.get(tender.identifier_hash))
    key = (tender.redemption_id, tender.receipt_key)
    redemption = facts.redemptions[tender.redemption_id]
    before = facts.captures.get(key)
    priced = tender.priced_as(redemption, pricing)
    if redemption.is_taken_in_parts:
        priced = _priced_in_parts(priced, redemption, before, facts.parts.get(redemption.redemption_id, ()), pricing)
    decision = decide_tender(
        redemption,
        priced,
        before,
        is_refused=facts.is_voided(tender.receipt_key) or tender.content_hash in facts.refused[tender.receipt_key],
    )
    match decision:
        case Take():
            # How much the balance covers is not known yet, and makes no difference to the tenders after it.
            facts.redemptions[tender.redemption_id], facts.captures[key] = decision.settled(0, transaction.now)
            facts.parts.setdefault(tender.redemption_id, []).append(PaidPart(priced.points, tender.amount_minor))
        case Wait(redemption=redemption):
            facts.redemptions[tender.redemption_id] = redemption
        case Repeat() | Disregard() | NotOurs():
            pass
    return decision


def _priced_in_parts(
    alone: PointsTender, redemption: Redemption, capture: Capture | None, before: Sequence[PaidPart], pricing: Pricing
) -> PointsTender:
    """What is asked for as one part of several; read again, what was taken then, which may have been a point less."""
    if capture is None:
        return alone.priced_after(redemption, pricing, before)
    is_part = capture.source == "event" and capture.asked_points == alone.points - 1
    return replace(alone, points=capture.asked_points) if is_part else alone


async def _take(
    transaction: Transaction,
    decisions: Sequence[tuple[PointsTender, TenderDecision]],
    facts: _Facts,
    held_since: HeldSince | None,
    came_back_days: int,
    *,
    owes: bool,
) -> list[Settled]:
    takes = [(tender, decision) for tender, decision in decisions if isinstance(decision, Take)]
    changed = {decision.redemption.redemption_id for _, decision in decisions if isinstance(decision, Take | Wait)}
    if not takes:
        await redemptions.save_redemptions(transaction, [facts.redemptions[changed_id] for changed_id in changed])
        return []
    owners = [owner for _, take in takes for owner in owners_of(take.redemption, take.member_id)]
    await projections.lock_members(transaction, owners)
    # What is held was chosen for its basket; only what is taken late asks for it.
    late = [(take.partner_id, tender.goods if take.from_available else None) for tender, take in takes]
    baskets = await baskets_of(transaction, late)
    until = lives_until(transaction, came_back_days)
    asked = [taking(take, basket, until, owes=owes) for (_, take), basket in zip(takes, baskets, strict=True)]
    commands = [command for group in asked for _, command in group]
    outcomes = await ledger.post(transaction, commands, held_since=held_since)
    settled, final = _settled_in_order([take for _, take in takes], asked, outcomes, transaction.now)
    stand = facts.redemptions | final
    await redemptions.save_redemptions(transaction, [stand[changed_id] for changed_id in changed])
    await captures.save_captures(transaction, [entry.capture for entry in settled])
    after = [
        (entry.redemption.point_type, take.member_id, entry.balance)
        for (_, take), entry in zip(takes, settled, strict=True)
    ]
    balances = await own_balances(transaction, after)
    await outbox.record(
        transaction,
        [
            captured_message(transaction, entry, balance, tender.traceparent)
            for (tender, _), entry, balance in zip(takes, settled, balances, strict=True)
        ],
    )
    return settled


def _settled_in_order(
    takes: Sequence[Take], asked: Sequence[Sequence[Asked]], outcomes: Sequence[Outcome], now: datetime
) -> tuple[list[Settled], dict[UUID, Redemption]]:
    """What each take came to, and how their redemptions stand after all of them. Each stands on the one before it of
    its redemption, now with what the balance really covered.
    """
    left = iter(outcomes)
    final: dict[UUID, Redemption] = {}
    settled: list[Settled] = []
    for take, group in zip(takes, asked, strict=True):
        redemption_id = take.redemption.redemption_id
        current = replace(take, redemption=final[redemption_id]) if redemption_id in final else take
        settled.append(settle(current, group, [next(left) for _ in group], now))
        final[redemption_id] = settled[-1].redemption
    return settled, final


def _captured(
    decisions: Sequence[tuple[PointsTender, TenderDecision]], taken: Sequence[Settled], facts: _Facts
) -> list[Compared]:
    """The tenders of which something is captured, each with its capture."""
    now = iter(taken)
    found = []
    for tender, decision in decisions:
        match decision:
            case Take():
                settled = next(now)
                found.append(Compared(tender, settled.redemption, settled.capture))
            case Repeat(capture=capture):
                found.append(Compared(tender, facts.redemptions[tender.redemption_id], capture))
            case Wait() | Disregard() | NotOurs():
                pass
    return found


async def _save_what_waits(transaction: Transaction, decisions: Sequence[tuple[PointsTender, TenderDecision]]) -> None:
    await waiting_tenders.keep(transaction, [tender for tender, decision in decisions if isinstance(decision, Wait)])
    await waiting_tenders.drop(
        transaction, [tender for tender, decision in decisions if not isinstance(decision, Wait)]
    )


def _exceptions_of(
    tenders: Sequence[PointsTender],
    decisions: Sequence[tuple[PointsTender, TenderDecision]],
    facts: _Facts,
    pricing: Pricing,
) -> list[ExceptionRecord]:
    found = [_exception("other_currency", tender, 0) for tender in tenders if not tender.is_priced]
    for tender, decision in decisions:
        match decision:
            case NotOurs():
                found.append(_exception("other_partner", tender, 0))
            case Repeat(capture=capture) if decision.is_mismatch:
                said = tender.priced_as(facts.redemptions[tender.redemption_id], pricing)
                found.append(_exception("amount_mismatch", said, capture.asked_points))
            case _:
                pass
    return found


def _exception(kind: ExceptionKind, tender: PointsTender, captured_points: int) -> ExceptionRecord:
    return ExceptionRecord(
        kind=kind,
        redemption_id=tender.redemption_id,
        receipt_key=tender.receipt_key,
        content_hash=tender.content_hash,
        partner_id=tender.partner_id,
        asked_points=tender.points,
        captured_points=captured_points,
    )


def _outcome(decision: TenderDecision) -> str:
    match decision:
        case Take(from_available=late):
            return "late" if late else "captured"
        case Repeat():
            return "exception" if decision.is_mismatch else "repeat"
        case Wait():
            return "waiting"
        case Disregard():
            return "refused"
        case NotOurs():
            return "exception"
