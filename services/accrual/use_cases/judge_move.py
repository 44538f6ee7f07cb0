"""Loads all that a receipt's move is judged by, taking locks in the one order, and judges it for its new member."""

from typing import NamedTuple
from uuid import UUID

import orjson

from services.accrual.domain.awarding_anew import AwardedAnew, FrozenAward, award_anew
from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.decisions import POINTS_MAX, Awarded, Document
from services.accrual.domain.earning_facts import NO_FACTS
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.purchase_event import with_member
from services.accrual.domain.receipt_moves import (
    MoveNotFoundError,
    MoveRefusal,
    ReceiptMove,
    have_any_expired,
    why_not_between,
    why_not_bought_by,
)
from services.accrual.domain.stored_facts import facts_from_stored
from services.accrual.programme import MoveRules
from services.accrual.repository import (
    award_events,
    awards,
    claims,
    decided_documents,
    decided_returns,
    fraud_holds,
    parked,
    projections,
    receipt_moves,
)
from services.accrual.repository.award_parts import PartRow
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.adjust_points import today
from services.accrual.use_cases.decide_documents import lock_budgets, undecidable
from services.accrual.use_cases.load_frozen_earning import load_frozen_earning
from services.accrual.use_cases.lock_owners import lock_owners
from services.accrual.use_cases.move_commands import AskedGiven, NewParts, days_of_expiry
from shared import outbox
from shared.database import Transaction
from shared.events.purchases import ExchangeRecorded, PurchaseRecorded
from shared.outbox import Message


class Judged(NamedTuple):
    """A move that can be made: the award as it stands, what it becomes, and what is to be written and told then."""

    award: StoredAward
    frozen: FrozenAward
    from_id: UUID
    to_id: UUID
    anew: AwardedAnew
    earning: EarningOfBatch | None
    told: list[Message]
    parts: list[PartRow]
    giving: list[AskedGiven]

    @property
    def taken_points(self) -> int:
        """What is left of the award, of the programme's own points."""
        return self.award.points - self.award.taken_back

    def taken_of(self, point_type: str | None) -> int:
        """The same of one type; None: the programme's own."""
        if point_type is None:
            return self.taken_points
        return sum(part.points - part.taken_back for part in self.award.parts if part.point_type == point_type)


async def judge_move(transaction: Transaction, move: ReceiptMove, rules: MoveRules) -> Judged | MoveRefusal:
    """What a move comes to; nothing is written but what time has changed of tiers, which is told if it is refused.

    Holds the receipt's claim, both members, the award and the budgets to the commit. Whoever else concerns himself with
    the receipt (a return, fraud's hold, another move, the till's retry) comes before or after, in the claim.

    Raises:
        MoveNotFoundError: no such receipt has come.
        StartAgainError: a member was merged away while we waited for its row.
        UndecidableError: the rules cannot be applied.
    """
    key = move.natural_key
    claim = (await claims.name(transaction, [key])).get(key)
    if claim is None or claim.content_hash is None:  # what was only laid down here is rolled back
        raise MoveNotFoundError("no such receipt has come")
    if claim.state != "awarded" or claim.owner_id is None:
        return "not_awarded"
    owners = await lock_owners(transaction, {move.from_member_id, move.to_member_id, claim.owner_id})
    former, new = owners[move.from_member_id], owners[move.to_member_id]
    if former.owner_id == new.owner_id:
        return "same_member"
    if owners[claim.owner_id].owner_id != former.owner_id:
        return "not_theirs"
    refusal = why_not_between(former.status, new.status, is_to_merged=new.owner_id != move.to_member_id)
    if refusal is not None:
        return refusal
    award = (await awards.lock_awards(transaction, [key])).get(key)
    if award is None or award.voided_by is not None:  # a return, or a sale that never was
        return "not_awarded"
    found = await _frozen(transaction, award, former.owner_id, rules)
    if not isinstance(found, tuple):
        return found
    frozen, document = found
    refusal = await _why_not_now(transaction, frozen, award, new.owner_id, rules)
    if refusal is not None:
        return refusal
    return await _judge(transaction, award, frozen, document, new.owner_id, rules)


async def _why_not_now(
    transaction: Transaction, frozen: FrozenAward, award: StoredAward, to_id: UUID, rules: MoveRules
) -> MoveRefusal | None:
    """What may come to an end: a hold of fraud's, returns on their way; or is over, as the time of its points."""
    key = frozen.natural_key
    if await fraud_holds.find_open(transaction, [key]):
        return "held_by_fraud"
    if await receipt_moves.do_returns_wait(transaction, parked.waits_for_receipt(key)):
        return "returns_wait"
    if any(part.state == "lapsed" for part in award.parts):
        return "points_expired"
    enrolled_at = (await projections.load_enrolled_at(transaction, [to_id])).get(to_id)
    return why_not_bought_by(frozen.purchase, enrolled_at, transaction.now, rules.claim_window)


async def _frozen(
    transaction: Transaction, award: StoredAward, owner_id: UUID, rules: MoveRules
) -> tuple[FrozenAward, PurchaseRecorded] | MoveRefusal:
    """The award with all that it was judged by; its document must still be there."""
    key = award.natural_key
    event = (await decided_documents.load(transaction, [key])).get(key)
    if isinstance(event, ExchangeRecorded):
        return "an_exchange"
    if not isinstance(event, PurchaseRecorded):
        return "document_gone"
    await rules.published.refresh(transaction)
    rule_set = rules.published.history.version(award.rule_set_version)
    partner_id = event.data.partner_id
    mapping = (await rules.published.mappings.refresh(transaction, [partner_id])).get(partner_id)
    stored = orjson.loads(award.decision).get("facts")
    facts = facts_from_stored(stored, rule_set.needs) if rule_set.needs_facts else NO_FACTS
    returned = (await decided_returns.load_returned(transaction, [key])).get(key, {})
    categories = categories_at(mapping, event.data.occurred_at, award.mapping_version)
    earned_on = award.terms.available_from
    return FrozenAward(key, owner_id, event.data, rule_set, categories, facts, returned, earned_on), event


async def _judge(
    transaction: Transaction,
    award: StoredAward,
    frozen: FrozenAward,
    event: PurchaseRecorded,
    to_id: UUID,
    rules: MoveRules,
) -> Judged | MoveRefusal:
    named = with_member(event, to_id)
    document = Document.of(named, named.to_bytes())
    earning, told = await load_frozen_earning(transaction, frozen, document, to_id, rules.programme, rules.published)
    zone = rules.programme.zone
    with undecidable():
        anew = award_anew(frozen, to_id, zone, earning)
    if earning is not None and earning.budgets_taken:
        fresh = await lock_budgets(transaction, earning)
        if fresh is not None:
            earning = fresh
            with undecidable():
                anew = award_anew(frozen, to_id, zone, earning)
    if max((anew.evaluation.points, *(part.points for part in anew.parts))) > POINTS_MAX:
        await outbox.record(transaction, told)
        return "implausible_points"
    awarded = Awarded(document, to_id, anew.evaluation, anew.parts)
    came = await award_events.find(transaction, [award.natural_key]) if anew.parts else []
    day = today(transaction, rules.programme)
    events = {one.event: one.told_at.astimezone(zone).date() for one in came}
    new = NewParts(award, awarded, anew, day, events)
    rows = new.rows()
    if have_any_expired(days_of_expiry(award, rows), day):
        await outbox.record(transaction, told)  # tiers that time has changed stay so, where the refusal is kept
        return "points_expired"
    return Judged(award, frozen, frozen.owner_id, to_id, anew, earning, told, rows, new.giving())
