"""Tells the story of one receipt: its status, what it earned and why, what came back, corrected it, was refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.evaluation import Evaluation, evaluate_purchase
from services.accrual.domain.prepayments import pays_ahead, voided_side_key
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.stored_facts import facts_from_stored
from services.accrual.domain.unlinked_cases import UnlinkedCase
from services.accrual.domain.unlinked_returns import judge_goods
from services.accrual.programme import PublishedRules
from services.accrual.repository import (
    award_parts,
    awards,
    claims,
    corrections,
    decided_documents,
    handovers,
    outcomes,
    unlinked_returns,
)
from services.accrual.repository.award_parts import ReturnPartRow, StoredPart
from services.accrual.repository.corrections import CorrectionRow
from services.accrual.repository.outcomes import AwardStory, RefusalStory, ReturnStory
from services.accrual.use_cases.load_exchanges import purchase_of
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseData, ReturnRecorded


class TraceMismatchError(Exception):
    """The trace derived from the frozen rules is not what was stored when the points were given."""


@dataclass(frozen=True, slots=True)
class ReceiptStory:
    """All that is known of one receipt. ``evaluation`` is derived again from the document and the frozen rules: of a
    receipt that was corrected, as it stands. ``corrections`` are those of this receipt, the first first; ``correction``
    is what this document itself corrected. ``paid_ahead`` is what it gave again, as the void of a handover, to those
    in which the goods were paid ahead.
    """

    status: Literal["awaiting", "parked", "awarded", "refused", "failed"]
    waits_because: str | None = None
    award: AwardStory | None = None
    evaluation: Evaluation | None = None
    rule_set: RuleSet | None = None
    currency: str | None = None
    returned: ReturnStory | None = None
    refusals: tuple[RefusalStory, ...] = ()
    parts: tuple[StoredPart, ...] = ()
    taken: tuple[ReturnPartRow, ...] = ()
    unlinked: UnlinkedCase | None = None
    is_handed_over: bool = False
    corrections: tuple[CorrectionRow, ...] = ()
    correction: CorrectionRow | None = None
    paid_ahead: int = 0


async def show_receipt(transaction: Transaction, key: bytes, rules: PublishedRules) -> ReceiptStory:
    """The story of a receipt. ``awaiting`` where nobody has decided on the key yet.

    Raises:
        TraceMismatchError: the derived trace differs from the stored decision; someone must look at it.
    """
    claim = (await claims.read(transaction, [key])).get(key)
    refusals = tuple(await outcomes.load_refusals(transaction, key))
    if claim is None or claim.content_hash is None:
        return ReceiptStory("awaiting", refusals=refusals)
    if claim.state == "parked":
        return ReceiptStory("parked", await outcomes.find_why_parked(transaction, key), refusals=refusals)
    if claim.state != "awarded":
        return ReceiptStory(claim.state, refusals=refusals)
    award = await outcomes.find_award(transaction, key)
    returned = await outcomes.find_return(transaction, key)
    paid_ahead = await _given_back_ahead(transaction, key, returned)
    taken = (await award_parts.load_taken(transaction, [key])).get(key, ()) if returned is not None else ()
    if award is None:
        unlinked = await unlinked_returns.find_told(transaction, key) if returned is None else None
        if unlinked is not None and unlinked.state != "linked":
            return await _unlinked_story(transaction, unlinked, rules, refusals)
        correction = await corrections.find(transaction, key) if returned is None else None
        if correction is not None:
            return ReceiptStory("awarded", refusals=refusals, correction=correction)
        return ReceiptStory("awarded", returned=returned, refusals=refusals, taken=taken, paid_ahead=paid_ahead)
    parts = (await award_parts.load(transaction, [key])).get(key, ())
    known: dict[str, Any] = {"award": award, "returned": returned, "taken": taken, "refusals": refusals, "parts": parts}
    if award.corrected_by is not None:
        known["corrections"] = tuple(await corrections.load_of_receipt(transaction, key))
    event = (await decided_documents.load(transaction, [key])).get(key)
    if event is None:  # its time was over: the award stands, and nobody can derive its trace any more
        return ReceiptStory("awarded", **known)
    decision = await awards.load_decision(transaction, key)
    goods = purchase_of(event, decision)
    if goods is None:
        raise TypeError("an award's document hands goods over")
    await rules.refresh(transaction)
    rule_set = rules.history.version(award.rule_set_version)
    mappings = await rules.mappings.refresh(transaction, [event.data.partner_id])
    mapping = mappings.get(event.data.partner_id)
    categories = categories_at(mapping, event.data.occurred_at, award.mapping_version)
    stored = orjson.loads(decision)
    facts = facts_from_stored(stored.get("facts"), rule_set.needs)
    evaluation = evaluate_purchase(goods, rule_set, categories, facts)
    _check_against_stored(stored, evaluation, award)
    known["is_handed_over"] = await _is_handed_over(transaction, key, goods, rule_set)
    return ReceiptStory("awarded", evaluation=evaluation, rule_set=rule_set, currency=event.data.currency, **known)


async def _is_handed_over(transaction: Transaction, key: bytes, goods: PurchaseData, rule_set: RuleSet) -> bool:
    """Whether what was paid ahead has earned, and was taken back since for its goods were handed over."""
    earned_ahead = rule_set.counted.prepayments == "at_payment" and pays_ahead(goods)
    return earned_ahead and await handovers.is_handed_over(transaction, key)


async def _given_back_ahead(transaction: Transaction, key: bytes, returned: ReturnStory | None) -> int:
    if returned is None or returned.cause != "void":
        return 0
    named = await handovers.find_of_handovers(transaction, [returned.original_key])
    sides = [voided_side_key(key, row.natural_key, row.prepaid_key) for row in named]
    return await handovers.load_given_back(transaction, sides) if sides else 0


async def _unlinked_story(
    transaction: Transaction, case: UnlinkedCase, rules: PublishedRules, refusals: tuple[RefusalStory, ...]
) -> ReceiptStory:
    """What became of a return that names no purchase; of one that took points, what its goods give by themselves."""
    event = None if case.event is None else PURCHASES.read(case.event)
    if case.state != "taken_back" or case.rule_set_version is None or not isinstance(event, ReturnRecorded):
        return ReceiptStory("awarded", refusals=refusals, unlinked=case)
    await rules.refresh(transaction)
    rule_set = rules.history.version(case.rule_set_version)
    mappings = await rules.mappings.refresh(transaction, [case.partner_id])
    categories = categories_at(mappings.get(case.partner_id), case.occurred_at, case.mapping_version)
    judged = judge_goods(event.data, rule_set, categories)
    if judged is None:
        return ReceiptStory("awarded", refusals=refusals, unlinked=case)
    if judged.points != case.points + case.clipped:
        raise TraceMismatchError(f"derived {judged.points}, stored {case.points} and {case.clipped} clipped")
    return ReceiptStory(
        "awarded",
        evaluation=judged,
        rule_set=judged.rule_set,
        currency=event.data.currency,
        refusals=refusals,
        unlinked=case,
    )


def _check_against_stored(stored: Mapping[str, Any], evaluation: Evaluation, award: AwardStory) -> None:
    derived = [[rule.rule_id, rule.points] for rule in evaluation.applied]
    if stored["applied"] != derived or award.points != evaluation.points:
        raise TraceMismatchError(f"derived {derived}, stored {stored['applied']}")
