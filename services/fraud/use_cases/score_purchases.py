"""Score a batch of purchases: receipts into windows, rules over them; signals, cases and holds out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from uuid import UUID

from services.fraud.domain.decide import decide_all
from services.fraud.domain.outcomes import Effects, Hold
from services.fraud.domain.receipts import NOBODY, ReceiptFact, receipt_of
from services.fraud.domain.rule_set import RuleSet
from services.fraud.repository import decisions, findings, merges, operators, tills, windows
from services.fraud.repository.tills import Store
from services.fraud.repository.windows import CaseIds
from services.fraud.use_cases import announcements
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.fraud import PointsHoldData
from shared.events.purchases import PurchaseRecorded
from shared.ids import new_id
from shared.outbox import Message, record
from shared.receipt_key import partner_of, receipt_id_of

# Whose a case is that is about a member alone: no partner can be called so.
PROGRAMME = "~programme"


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """What became of a batch. ``known`` receipts had been decided before; ``left_out`` are no member's, an erased
    member's, or training."""

    left_out: int
    known: int
    effects: Effects


async def score_purchases(
    transaction: Transaction, purchases: Sequence[PurchaseRecorded], rule_set: RuleSet, time_zone: tzinfo
) -> ScoreReport:
    """Score purchases inside the caller's transaction.

    Idempotent: a receipt counts once for ever, by its natural key, whatever event brings it. Receipts of one member
    are decided in the given order, each seeing the effect of those before it; members' windows stay locked, in key
    order, to the commit. The number of statements does not depend on the size of the batch. Training receipts and
    those without a member are left out: a parked one comes again when its member is known. So are those of a member
    who was erased: nothing is remembered of him any more.

    A member who was merged away is scored as the survivor.

    Raises:
        ImplausibleReceiptError: a purchase can never be scored.
        StartAgainError: a member was merged away while its window was waited for.
        DecidedElsewhereError: another transaction decided one of the receipts meanwhile; start again.
    """
    members = [purchase for purchase in purchases if purchase.data.member_id is not None]
    scorable = [purchase for purchase in members if not purchase.data.is_training]
    facts, traces = await _facts_of(transaction, scorable, time_zone)
    known = await decisions.find_known(transaction, list(facts))
    fresh = await _of_survivors(transaction, [fact for key, fact in facts.items() if key not in known])
    erased = await _lock(transaction, {fact.member_id for fact in fresh}) if fresh else set()
    owned = [fact for fact in fresh if fact.member_id not in erased]
    effects = await _decide_and_save(transaction, owned, rule_set, traces) if owned else Effects()
    left_out = len(purchases) - len(scorable) + len(fresh) - len(owned)
    return ScoreReport(left_out, len(scorable) - len(fresh), effects)


async def _of_survivors(transaction: Transaction, facts: Sequence[ReceiptFact]) -> list[ReceiptFact]:
    survivors = await merges.find_survivors(transaction, {fact.member_id for fact in facts}) if facts else {}
    return [fact._replace(member_id=survivors.get(fact.member_id, fact.member_id)) for fact in facts]


async def _lock(transaction: Transaction, members: Collection[UUID]) -> set[UUID]:
    """Lock windows; those of the members who were erased come back."""
    erased = await windows.lock(transaction, members)
    if await merges.find_survivors(transaction, members):
        raise StartAgainError("a member was merged away meanwhile")
    return erased


async def _facts_of(
    transaction: Transaction, purchases: Iterable[PurchaseRecorded], time_zone: tzinfo
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
        hold = timedelta(hours=rule_set.hold_hours)
        messages = [*await _save_findings(transaction, effects, case_ids, hold, traces), *messages]
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


async def _save_findings(
    transaction: Transaction,
    effects: Effects,
    open_case_ids: CaseIds,
    hold: timedelta,
    traces: Mapping[bytes, str | None],
) -> list[Message]:
    case_ids = {**open_case_ids, **{(case.opened_by, case.rule_code): new_id() for case in effects.cases}}
    signal_ids = [new_id() for _ in effects.signals]
    ends_at = transaction.now + hold
    partners = [PROGRAMME if case.operator_hash == NOBODY else partner_of(case.opened_by) for case in effects.cases]
    await findings.save_cases(transaction, effects.cases, partners, case_ids)
    await findings.save_signals(transaction, effects.signals, signal_ids, case_ids)
    await findings.save_holds(transaction, effects.holds, case_ids, ends_at)
    return _messages(effects, case_ids, signal_ids, transaction.now, ends_at, traces)


def _messages(
    effects: Effects,
    case_ids: CaseIds,
    signal_ids: Sequence[UUID],
    now: datetime,
    ends_at: datetime,
    traces: Mapping[bytes, str | None],
) -> list[Message]:
    """Cases before their signals, signals before holds: a reader of a hold knows its case."""
    held: dict[tuple[bytes, str, bytes], list[Hold]] = {}
    for hold in effects.holds:
        held.setdefault((hold.opened_by, hold.rule_code, hold.caused_by), []).append(hold)
    messages = []
    for case in effects.cases:
        at_once = held.get((case.opened_by, case.rule_code, case.caused_by), ())
        trace = traces[case.caused_by]
        messages.append(announcements.case_opened(case, case_ids[case.opened_by, case.rule_code], at_once, now, trace))
    for signal, signal_id in zip(effects.signals, signal_ids, strict=True):
        messages.append(announcements.signal_raised(signal, signal_id, now, traces[signal.caused_by]))
    for hold in effects.holds:
        data = PointsHoldData(
            member_id=hold.member_id,
            receipt_id=receipt_id_of(hold.receipt.receipt_key),
            version=1,
            rule_code=hold.rule_code,
            case_id=case_ids[hold.opened_by, hold.rule_code],
            ends_at=ends_at,
        )
        messages.append(announcements.hold_requested(data, now, traces[hold.caused_by]))
    return messages
