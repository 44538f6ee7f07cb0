"""Score a batch of purchases: receipts into windows, rules over them; signals, cases and holds out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TypeAlias
from uuid import UUID

from services.fraud.domain.decide import decide_all
from services.fraud.domain.outcomes import Effects
from services.fraud.domain.receipts import ReceiptFact, receipt_of
from services.fraud.domain.rule_set import RuleSet
from services.fraud.repository import decisions, merges, moves, operators, tills, windows
from services.fraud.repository.decisions import NewOwner
from services.fraud.repository.tills import Store
from services.fraud.use_cases import announcements
from services.fraud.use_cases.save_findings import save_findings
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.purchases import ExchangeRecorded, PurchaseRecorded
from shared.outbox import Message, record

# What counts as a purchase: an exchange that was paid on top, too.
Scored: TypeAlias = PurchaseRecorded | ExchangeRecorded


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """What became of a batch. ``known`` receipts had been decided before; ``left_out`` are no member's, an erased
    member's, or training."""

    left_out: int
    known: int
    effects: Effects


async def score_purchases(
    transaction: Transaction, purchases: Sequence[Scored], rule_set: RuleSet, time_zone: tzinfo
) -> ScoreReport:
    """Score purchases inside the caller's transaction.

    Idempotent: a receipt counts once for ever, by its natural key, whatever event brings it. Receipts of one member
    are decided in the given order, each seeing the effect of those before it; members' windows stay locked, in key
    order, to the commit. The number of statements does not depend on the size of the batch. Training receipts and
    those without a member are left out: a parked one comes again when its member is known. So are those of a member
    who was erased: nothing is remembered of him any more.

    A member who was merged away is scored as the survivor. A receipt that has been moved since is scored for whom it
    was moved to; who moves it meanwhile meets us in the window of the member whose it was.

    Raises:
        ImplausibleReceiptError: a purchase can never be scored.
        StartAgainError: a member was merged away, or a receipt moved, while a window was waited for.
        DecidedElsewhereError: another transaction decided one of the receipts meanwhile; start again.
    """
    members = [purchase for purchase in purchases if purchase.data.member_id is not None]
    scorable = [purchase for purchase in members if not purchase.data.is_training]
    facts, traces = await _facts_of(transaction, scorable, time_zone)
    known, moved = await decisions.find_known(transaction, list(facts))
    fresh = [fact for key, fact in facts.items() if key not in known]
    fresh = await _of_survivors(transaction, [_of_owner(fact, moved) for fact in fresh])
    erased = await _lock(transaction, fresh) if fresh else set()
    owned = [fact for fact in fresh if fact.member_id not in erased]
    effects = await _decide_and_save(transaction, owned, rule_set, traces) if owned else Effects()
    left_out = len(purchases) - len(scorable) + len(fresh) - len(owned)
    return ScoreReport(left_out, len(scorable) - len(fresh), effects)


def _of_owner(fact: ReceiptFact, moved: Mapping[bytes, NewOwner]) -> ReceiptFact:
    owner = moved.get(fact.receipt.receipt_key)
    return fact if owner is None else ReceiptFact(owner.member_id, fact.receipt.moved(owner.number))


async def _of_survivors(transaction: Transaction, facts: Sequence[ReceiptFact]) -> list[ReceiptFact]:
    survivors = await merges.find_survivors(transaction, {fact.member_id for fact in facts}) if facts else {}
    return [fact._replace(member_id=survivors.get(fact.member_id, fact.member_id)) for fact in facts]


async def _lock(transaction: Transaction, fresh: Sequence[ReceiptFact]) -> set[UUID]:
    """Lock windows; those of the members who were erased come back."""
    members = {fact.member_id for fact in fresh}
    erased = await windows.lock(transaction, members)
    numbers = {fact.receipt.receipt_key: fact.receipt.moves for fact in fresh}
    if await moves.has_changed(transaction, members, numbers):
        raise StartAgainError("a member was merged away, or a receipt was moved, meanwhile")
    return erased


async def _facts_of(
    transaction: Transaction, purchases: Iterable[Scored], time_zone: tzinfo
) -> tuple[dict[bytes, ReceiptFact], dict[bytes, str | None]]:
    """Facts by natural key, the first of equal keys; and the trace of each."""
    stores = {Store(purchase.data.partner_id, purchase.data.store_id) for purchase in purchases}
    tills_in_force = await tills.count_in_force(transaction, stores)
    serving = {purchase.data.operator_hash for purchase in purchases if purchase.data.operator_hash is not None}
    own_cards = await operators.load_own_cards(transaction, serving)
    facts: dict[bytes, ReceiptFact] = {}
    traces: dict[bytes, str | None] = {}
    for purchase in purchases:
        data = purchase.data
        if data.member_id is None:
            continue
        receipt = receipt_of(
            data,
            time_zone,
            tills_in_force.get(Store(data.partner_id, data.store_id)),
            own_cards.get(data.operator_hash or "", ()),
        )
        if facts.setdefault(receipt.receipt_key, ReceiptFact(data.member_id, receipt)).receipt is receipt:
            traces[receipt.receipt_key] = purchase.traceparent
    return facts, traces


async def _decide_and_save(
    transaction: Transaction,
    facts: Sequence[ReceiptFact],
    rule_set: RuleSet,
    traces: Mapping[bytes, str | None],
) -> Effects:
    """Decide receipts of members whose windows are locked."""
    members = {fact.member_id for fact in facts}
    before, case_ids = await windows.load(transaction, members)
    after, effects = decide_all(facts, before, rule_set)
    await decisions.save(transaction, effects.decisions, rule_set.version)
    await decisions.save_raised(transaction, effects.raised, rule_set.version)
    await windows.save(
        transaction, {member_id: state.change_since(before[member_id]) for member_id, state in after.items()}
    )
    messages = [_cleared(fact, transaction.now, traces) for fact in _not_held(facts, effects)]
    if effects.signals or effects.holds:
        messages = [*await save_findings(transaction, effects, case_ids, rule_set.hold_hours, traces), *messages]
    if messages:
        await record(transaction, messages)
    return effects


def _not_held(facts: Sequence[ReceiptFact], effects: Effects) -> list[ReceiptFact]:
    """The claimed receipts of a batch that are not held: their points wait for this word."""
    held = {hold.receipt.receipt_key for hold in effects.holds}
    return [fact for fact in facts if fact.receipt.is_claimed and fact.receipt.receipt_key not in held]


def _cleared(fact: ReceiptFact, now: datetime, traces: Mapping[bytes, str | None]) -> Message:
    key = fact.receipt.receipt_key
    return announcements.claim_cleared(fact.member_id, key, now, traces[key])
